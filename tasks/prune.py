"""Deleting old runs, and what no kept run refers to.

Only what has a name as runs and stages give them is ever deleted: a folder of other things, named
as the artifacts folder by mistake, loses nothing. Links are left alone and never followed.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.cache.locks import IN_USE, InUseError, exclusive_at_once
from tasks.champion.promotions import open_promotions
from tasks.errors import InputError
from tasks.remote.mirror import refuse_url
from tasks.report.index_page import write_index
from tasks.runs.folders import MANIFEST, complete_runs, point_latest, read_json
from tasks.runs.past_runs import all_runs

_RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-.+")
_STORED = re.compile(r'[^"\\]+-[0-9a-f]{16}(?:\.\w+)?')
_SCRATCH = re.compile(r"\.new-\w+")
_BY_STAGE_KEY = re.compile(r"\.?[0-9a-f]{64}.*")
_TEMPORARY = re.compile(r"\.[\w.]+-[0-9a-f]{8}")


class Removal(BaseModel):
    """A file or folder to delete."""

    model_config = ConfigDict(frozen=True)

    path: Path  # from the artifacts folder
    reason: str
    bytes: int


class Pruned(BaseModel):
    """What was deleted, or would be; the object that `digits prune --json` prints."""

    model_config = ConfigDict(frozen=True)

    kept: tuple[str, ...]  # runs, newest first
    removed: tuple[Removal, ...]
    bytes: int
    dry_run: bool


def prune(artifacts: Path, keep: int, *, dry_run: bool) -> Pruned:
    """Delete all but the newest runs and the champion's, and what only the deleted ones needed.

    The kept runs' stage outputs and result records stay, so their settings are still fully cached.
    `predictions/` and `exports/` are not looked at.

    Args:
        artifacts: the artifacts folder.
        keep: how many of the newest runs stay, at least 1.
        dry_run: whether only to say what would be deleted.

    Raises:
        InputError: there is no such folder, or damage hides the champion or what a kept run
            needs. Nothing was deleted then.
        InUseError: a flow is running over the folder. Nothing was deleted then.
    """
    refuse_url(artifacts, "prune")
    if not artifacts.is_dir():
        raise InputError(f"{artifacts}: no such folder. Name the one to prune: --artifacts DIR")
    try:
        # No run that is being deleted can be promoted by hand.
        with exclusive_at_once(artifacts / IN_USE), open_promotions(artifacts) as promotions:
            if promotions.damage:
                raise InputError(
                    f"{promotions.damage}, so the champion is not known, and nothing was deleted. "
                    "Restore the file, or choose a champion: digits promote RUN"
                )
            kept, removed = _sort_out(artifacts, keep, promotions.champion)
            if not dry_run:
                if kept:
                    point_latest(artifacts)  # first, for it may still name a run that goes
                for removal in removed:
                    _remove(artifacts / removal.path)
                if kept and (artifacts / "index.html").exists():
                    write_index(artifacts, all_runs(artifacts), promotions.champion)
    except InUseError as error:
        raise InUseError(
            f"{artifacts}: in use by a running flow, or by another prune; nothing was deleted. "
            "Try again when it has ended."
        ) from error
    return Pruned(
        kept=tuple(run.name for run in kept),
        removed=tuple(removed),
        bytes=sum(removal.bytes for removal in removed),
        dry_run=dry_run,
    )


def _sort_out(artifacts: Path, keep: int, champion: str | None) -> tuple[list[Path], list[Removal]]:
    """Return the runs to keep and what to delete: runs first, then what only they needed."""
    complete = complete_runs(artifacts)
    newest = [run for run in complete if _RUN.fullmatch(run.name)][:keep]
    going: list[tuple[Path, str]] = []
    for run in _entries(artifacts / "runs", _RUN):
        if run not in complete:
            going.append((run, "no manifest: a run that was cut short"))
        elif run not in newest and run.name != champion:
            going.append((run, f"not among the newest {keep}"))
    old = {path for path, _ in going}
    kept = [run for run in complete if run not in old]
    keys, stored = _needed(kept, artifacts / "results")
    for record in _entries(artifacts / "results", _BY_STAGE_KEY):
        if record.name not in keys:
            going.append((record, "result record that no kept run used"))
    for file in _entries(artifacts / "store", _STORED):
        if file.name not in stored:
            going.append((file, "stored file that no kept run used"))
    for file in _entries(artifacts / "checkpoints", _BY_STAGE_KEY):
        going.append((file, "checkpoint, and no training is running"))
    half_written = [
        *_entries(artifacts / "store", _SCRATCH),
        *(path for path in sorted(artifacts.iterdir()) if _TEMPORARY.fullmatch(path.name)),
    ]
    going += [(path, "left by something that was cut short") for path in half_written]
    return kept, [
        Removal(path=path.relative_to(artifacts), reason=reason, bytes=_size(path))
        for path, reason in going
    ]


def _needed(runs: Iterable[Path], results: Path) -> tuple[set[str], set[str]]:
    """Return the stage keys of runs, and the stored files that they or their records name."""
    keys: set[str] = set()
    stored: set[str] = set()
    for run in runs:
        try:
            for stage in read_json(run / MANIFEST)["stages"].values():
                keys.add(stage["key"])
                stored.update(stage["outputs"])
        except (InputError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{run / MANIFEST}: damaged, so what this run needs is not known, and nothing "
                "was deleted. Delete the run's folder or restore the file."
            ) from error
    for record in _entries(results, _BY_STAGE_KEY):
        if record.name in keys and record.is_file():
            # A stage that ran again elsewhere may have made other bytes than the run names.
            stored.update(_STORED.findall(record.read_text(encoding="utf-8", errors="replace")))
    return keys, stored


def _entries(folder: Path, name: re.Pattern[str]) -> Iterator[Path]:
    """Yield what is in a folder under a name of ours, by name, without links to other places."""
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            if name.fullmatch(path.name) and not path.is_symlink():
                yield path


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(
        os.lstat(Path(folder, file)).st_size for folder, _, files in os.walk(path) for file in files
    )


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():  # a link, such as a new `latest`, goes itself
        path.unlink()
        return
    # A run goes with its manifest: cut short in the middle, this leaves no run that looks whole.
    (path / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(path)
