"""Files written whole or not at all."""

from pathlib import Path

import pytest

from tasks.cache.atomic import atomic_path


def test_the_target_appears_at_the_end(tmp_path: Path) -> None:
    """Until the block ends the target is the old file; then it is the new one, alone."""
    target = tmp_path / "weights.pkl"
    target.write_bytes(b"old")
    with atomic_path(target) as new:
        new.write_bytes(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_the_folder_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever ends the block half-way, an older file stays and the half-written one goes."""
    target = tmp_path / "weights.pkl"
    target.write_bytes(b"old")

    def fail() -> None:
        with atomic_path(target) as new:
            new.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_failure_before_anything_was_written(tmp_path: Path) -> None:
    """The block's own error comes out, not one about the file that is not there."""
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "weights.pkl"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_is_a_mistake(tmp_path: Path) -> None:
    """No file is an error, and not an empty target."""
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "weights.pkl"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_is_in_the_folder_of_its_target(tmp_path: Path) -> None:
    """Only inside one folder is a rename sure to be atomic; a missing folder is made."""
    target = tmp_path / "runs" / "today" / "weights.pkl"
    with atomic_path(target) as new:
        assert new.parent == target.parent
        assert not new.exists()
        new.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    """Each writes a file of its own; the target is whole, whichever ends last."""
    target = tmp_path / "weights.pkl"
    with atomic_path(target) as first, atomic_path(target) as second:
        assert first != second
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]
