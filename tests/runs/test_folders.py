"""How runs are named, which of them are complete, and which is the newest."""

import os
from pathlib import Path

import pytest

from tasks.runs.folders import complete_runs
from tasks.runs.run import Run


def test_runs_of_the_same_second_are_ordered_by_their_manifests(tmp_path: Path) -> None:
    """The name's random half does not decide what is newest; the second before it does."""
    for name, written in [("11Z-zebra", 5), ("11Z-ape", 7), ("11Z-lynx", 6), ("12Z-bear", 1)]:
        folder = tmp_path / "runs" / f"2026-11-22T13-05-{name}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()
        os.utime(folder / "manifest.json", (written, written))
    names = [folder.name.rsplit("-", maxsplit=1)[1] for folder in complete_runs(tmp_path)]
    assert names == ["bear", "ape", "lynx", "zebra"]


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("amber-lynx", "amber-lynx"),
        ("../../../etc", "..-..-..-etc"),
        ("/", "-"),
        ("two words\n<b>", "two-words-b-"),
        ("größer_1.5", "größer_1.5"),
        ("ü" * 300, "ü" * 90),
    ],
)
def test_a_name_leads_nowhere_else(tmp_path: Path, given: str, folder: str) -> None:
    """Whoever starts a flow run may call it anything; its folder is one among the others."""
    name = Run(tmp_path, given).name
    assert name.split("Z-", maxsplit=1)[1] == folder
    (tmp_path / "runs" / f".{name}-0123abcd").mkdir()
    assert [path.parent for path in (tmp_path / "runs").iterdir()] == [tmp_path / "runs"]
