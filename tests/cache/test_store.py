"""The store: files named by content, whole or absent, wherever the folder is."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.cache.store import SourceFile, Store, StoredFile
from tasks.errors import DataError


def keep(store: Store, content: bytes) -> StoredFile:
    """Put some bytes into a store."""
    store.prepare()
    with store.scratch() as scratch:
        (scratch / "digits.bin").write_bytes(content)
        return store.keep(scratch / "digits.bin")


def test_equal_content_is_one_file(tmp_path: Path) -> None:
    """To keep the same bytes again changes nothing."""
    store = Store(folder=tmp_path)
    assert keep(store, b"ink") == keep(store, b"ink")
    assert [path.name for path in store.files.iterdir()] == [keep(store, b"ink").name]


def test_scratch_leaves_nothing_behind_on_failure(tmp_path: Path) -> None:
    """A stage that fails half-way leaves no file in the store."""
    store = Store(folder=tmp_path)
    store.prepare()

    def fail_half_way() -> None:
        with store.scratch() as scratch:
            (scratch / "half").write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert list(store.files.iterdir()) == []


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(b"in"), "was altered"),
        (lambda path: path.write_bytes(b"inK"), "was altered"),
    ],
    ids=["deleted", "truncated", "altered"],
)
def test_damage_is_seen(tmp_path: Path, harm, words: str) -> None:  # type: ignore[no-untyped-def]
    """A stored file that was deleted, truncated or altered is reported by name."""
    store = Store(folder=tmp_path)
    file = keep(store, b"ink")
    assert store.damage(file) is None
    harm(store.path(file))
    assert words in (store.damage(file) or "")


@given(st.binary(), st.binary())
def test_any_bytes_come_back_and_no_others_pass(content: bytes, other: bytes) -> None:
    """What is kept is read back under a name that content decides; other content is damage."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder=Path(folder))
        file = keep(store, content)
        assert store.path(file).read_bytes() == content
        assert store.damage(file) is None
        assert keep(store, content) == file
        assert (keep(store, other).name == file.name) == (other == content)
        store.path(file).write_bytes(other)
        assert (store.damage(file) is None) == (other == content)


def test_a_moved_store_is_as_good(tmp_path: Path) -> None:
    """Records name no folder, so a store that was moved still holds its files."""
    file = keep(Store(folder=tmp_path / "here"), b"ink")
    (tmp_path / "here").rename(tmp_path / "there")
    assert Store(folder=tmp_path / "there").damage(file) is None


def test_a_source_that_is_no_file_is_explained(tmp_path: Path) -> None:
    """A missing CSV and a folder in its place each get one line that names the option."""
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file.*--csv"):
        SourceFile.of(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match=r"not a file.*--csv"):
        SourceFile.of(tmp_path)
