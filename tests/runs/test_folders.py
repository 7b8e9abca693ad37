"""Which runs are complete, and which of them is the newest."""

import os
from pathlib import Path

from tasks.runs.folders import complete_runs


def test_runs_of_the_same_second_are_ordered_by_their_manifests(tmp_path: Path) -> None:
    """The name's random half does not decide what is newest; the second before it does."""
    for name, written in [("11Z-zebra", 5), ("11Z-ape", 7), ("11Z-lynx", 6), ("12Z-bear", 1)]:
        folder = tmp_path / "runs" / f"2026-11-22T13-05-{name}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()
        os.utime(folder / "manifest.json", (written, written))
    names = [folder.name.rsplit("-", maxsplit=1)[1] for folder in complete_runs(tmp_path)]
    assert names == ["bear", "ape", "lynx", "zebra"]
