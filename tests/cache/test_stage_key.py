"""What a stage's key is made of, and how a change of it is described."""

import shutil
from pathlib import Path

import pytest

from tasks.cache.key import NotInKey, differences, stage_key, why_run
from tasks.cache.sources import digests_of_everything
from tasks.cache.store import SourceFile, Store, StoredFile
from tasks.shuffle_split import Split, SplitSettings

FILE = StoredFile(name="digits-00.parquet", sha256="00", bytes=1)
MODULE = "tasks.shuffle_split"


def key(**changed: object):  # type: ignore[no-untyped-def]
    """Make the key of a split, with some arguments changed."""
    arguments = {
        "store": Store(folder=Path("a")),
        "digits": FILE,
        "split": SplitSettings(),
        "seed": 0,
    }
    return stage_key("shuffle_split", {**arguments, **changed}, MODULE)


def test_equal_arguments_have_equal_keys_wherever_the_store_is() -> None:
    """The folder of the store is in no key."""
    assert key().digest == key(store=Store(folder=Path("elsewhere"))).digest


def test_where_a_stage_is_computed_is_in_no_key() -> None:
    """What is marked as not in the key may differ or be left out; the value alone is a setting."""
    assert key().digest == key(dask=NotInKey("2")).digest == key(dask=NotInKey("tcp://a:1")).digest
    assert key().digest != key(dask="2").digest


def test_a_csv_counts_by_content_not_by_path(tmp_path: Path) -> None:
    """A file that was moved and touched has the key it had; one changed byte gives another."""
    (tmp_path / "a.csv").write_text("1,2\n")
    here = key(digits=SourceFile.of(tmp_path / "a.csv"))
    shutil.move(tmp_path / "a.csv", tmp_path / "b.csv")
    assert key(digits=SourceFile.of(tmp_path / "b.csv")).digest == here.digest
    (tmp_path / "b.csv").write_text("1,3\n")
    assert key(digits=SourceFile.of(tmp_path / "b.csv")).digest != here.digest


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"split": SplitSettings(train_fraction=0.5)}, "split.train_fraction changed 0.8 → 0.5"),
        ({"split": SplitSettings(stratify=True)}, "split.stratify changed false → true"),
        ({"seed": 7}, "seed changed 0 → 7"),
        ({"digits": FILE.model_copy(update={"sha256": "01"})}, "input digits changed"),
    ],
)
def test_every_change_makes_another_key_and_is_named(
    changed: dict[str, object], words: str
) -> None:
    """A setting or an input that changed gives another key, and the reason says which."""
    assert key(**changed).digest != key().digest
    assert differences(key(), key(**changed)) == [words]


def test_changed_code_is_named() -> None:
    """A source file is called by its path from the project's root; one may be new, or gone."""
    now = key()
    changed = {"tasks/shuffle_split.py": "other", "tasks/old.py": "00"}
    code = {**now.code, **changed}
    del code["tasks/digits/table.py"]
    before = now.model_copy(update={"code": code})
    assert before.digest != now.digest
    assert differences(before, now) == [
        "tasks/digits/table.py is new",
        "tasks/old.py is gone",
        "tasks/shuffle_split.py changed",
    ]


def test_only_the_first_of_all_runs_is_called_so() -> None:
    """There were runs before that of a first ensemble, although none had a merge."""
    assert why_run("merge", {}, key(), None, refresh=False) == "first run"
    others = {"train": key()}
    reason = why_run("merge", others, key(), "no stored result", refresh=False)
    assert reason == "the latest run had no merge"


def test_an_argument_without_a_rule_is_refused() -> None:
    """A value that can't be digested is an error, never an input the key overlooks."""
    with pytest.raises(TypeError, match="no rule to digest argument 'split'"):
        key(split=[0.8])


def test_a_record_counts_by_its_files_content_and_its_plain_values() -> None:
    """What an earlier stage made is an input, file by file; its other fields are settings."""
    split = Split(train=FILE, test=FILE, train_rows=4, test_rows=1)
    made = key(split=split)
    assert made.inputs == {"digits": "00", "split.train": "00", "split.test": "00"}
    assert {made.settings["split.train_rows"], made.settings["split.test_rows"]} == {4, 1}
    other = split.model_copy(update={"test": FILE.model_copy(update={"sha256": "01"})})
    assert differences(made, key(split=other)) == ["input split.test changed"]


def test_all_source_code_is_in_the_digest_of_everything() -> None:
    """A run's manifest covers every module, those too that no stage depends on."""
    assert {"network/loss.py", "tasks/publish.py", "flows/cli.py"} <= digests_of_everything().keys()
