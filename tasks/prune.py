"""Deleting old runs, and what no kept run refers to.

Only what has a name as runs and stages give them is ever deleted: a folder of other things, named
as the artifacts folder by mistake, loses nothing. Links are left alone and never followed.
"""

import re
import time
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.cache.locks import IN_USE, InUseError, exclusive_at_once
from tasks.cache.store import Store
from tasks.champion.promotions import open_promotions
from tasks.errors import InputError
from tasks.remote.contents import Entry, entries, remove, remove_here
from tasks.remote.mirror import shown, url_of
from tasks.remote.results import download_record
from tasks.report.index_page import write_index
from tasks.runs.folders import (
    BY_RUN,
    BY_STAGE_KEY,
    MANIFEST,
    complete_runs,
    point_latest,
    read_json,
)
from tasks.runs.left_behind import left_behind
from tasks.runs.past_runs import all_runs
from tasks.runs.shared_runs import update_runs

_STORED = re.compile(r'[^"\\]+-[0-9a-f]{16}(?:\.\w+)?')
SECONDS_ON_URL = 24 * 3600  # what is younger there may belong to a run that is not complete yet


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
    `predictions/` and `exports/` are not looked at, and of `sweeps/` all that is complete stays. On
    a URL nothing but complete runs goes that is younger than a day, because a flow on another
    machine may be about to use it, and a command on this one may be downloading to the mirror.

    Args:
        artifacts: the artifacts folder.
        keep: how many of the newest runs stay, at least 1.
        dry_run: whether only to say what would be deleted.

    Raises:
        InputError: there is no such folder, or damage hides the champion or what a kept run
            needs. Nothing was deleted then.
        InUseError: a flow is running over the folder. Nothing was deleted then.
    """
    on_url = url_of(artifacts) is not None
    # Nobody knows which flows are running on other machines: what is young may be a part of theirs.
    latest = time.time() - SECONDS_ON_URL if on_url else float("inf")
    if not on_url and not artifacts.is_dir():
        raise InputError(f"{artifacts}: no such folder. Name the one to prune: --artifacts DIR")
    try:
        # No run that is being deleted can be promoted by hand.
        with exclusive_at_once(artifacts / IN_USE), open_promotions(artifacts) as promotions:
            if promotions.damage:
                raise InputError(
                    f"{promotions.damage}, so the champion is not known, and nothing was deleted. "
                    "Restore the file, or choose a champion: digits promote RUN"
                )
            kept, removed = _sort_out(artifacts, keep, promotions.champion, latest)
            known = {each.path for each in removed}  # a run may be half-written there and here
            left = _removals(left_behind(artifacts, latest))
            left = [each for each in left if each.path not in known]
            if not dry_run:
                if kept:
                    point_latest(artifacts)  # first, for it may still name a run that goes
                # Cut short in the middle, this leaves no run that looks whole, and no record
                # without the files that it names.
                for _, paths in groupby((each.path for each in removed), lambda path: path.parent):
                    remove(artifacts, [*paths], first=MANIFEST)
                remove_here(artifacts, [each.path for each in left], first=MANIFEST)
                if kept and (on_url or (artifacts / "index.html").exists()):
                    write_index(artifacts, all_runs(artifacts), promotions.champion)
    except InUseError as error:
        raise InUseError(
            f"{shown(artifacts)}: in use by a running flow, or by another prune; nothing was "
            "deleted. Try again when it has ended."
        ) from error
    return Pruned(
        kept=tuple(run.name for run in kept),
        removed=(*removed, *left),
        bytes=sum(removal.bytes for removal in (*removed, *left)),
        dry_run=dry_run,
    )


def _sort_out(
    artifacts: Path, keep: int, champion: str | None, latest: float
) -> tuple[list[Path], list[Removal]]:
    """Return the runs to keep and what to delete: runs first, then what only they needed.

    Of what is not a complete run, nothing goes that was modified after `latest`.
    """
    # Listed before the runs are, so that what a run has shared meanwhile is not among it.
    records = _old(entries(artifacts, "results"), BY_STAGE_KEY, latest)
    files = _old(entries(artifacts, "store"), _STORED, latest)
    runs = entries(artifacts, "runs")
    update_runs(artifacts)
    complete = complete_runs(artifacts)
    names = [run.name for run in complete]
    newest = [name for name in names if BY_RUN.fullmatch(name)][:keep]
    going: list[tuple[Entry, str]] = []
    for run in _old(runs, BY_RUN, float("inf")):
        if run.path.name not in names:
            if run.modified < latest:
                going.append((run, "no manifest: a run that was cut short"))
        elif run.path.name not in (*newest, champion):
            going.append((run, f"not among the newest {keep}"))
    old = {each.path.name for each, _ in going}
    kept = [run for run in complete if run.name not in old]
    keys, stored = _needed(artifacts, kept)
    going += [
        (each, "result record that no kept run used")
        for each in records
        if each.path.name not in keys
    ]
    going += [
        (each, "stored file that no kept run used")
        for each in files
        if each.path.name not in stored
    ]
    return kept, _removals(going)


def _removals(going: Iterable[tuple[Entry, str]]) -> list[Removal]:
    return [Removal(path=each.path, reason=reason, bytes=each.bytes) for each, reason in going]


def _old(found: Iterable[Entry], name: re.Pattern[str], latest: float) -> list[Entry]:
    """Return what has a name of ours and was last modified before a time."""
    return [each for each in found if name.fullmatch(each.path.name) and each.modified < latest]


def _needed(artifacts: Path, runs: Iterable[Path]) -> tuple[set[str], set[str]]:
    """Return the stage keys of runs, and the stored files that they or their records name."""
    keys: set[str] = set()
    stored: set[str] = set()
    for run in runs:
        try:
            for stage in read_json(run / MANIFEST)["stages"].values():
                keys.add(str(stage["key"]))
                stored.update(stage["outputs"])
        except (InputError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{shown(run / MANIFEST)}: damaged, so what this run needs is not known, and "
                "nothing was deleted. Delete the run's folder or restore the file."
            ) from error
    for key in filter(BY_STAGE_KEY.fullmatch, sorted(keys)):
        download_record(Store(folder=artifacts), key)
    results = artifacts / "results"
    for record in results.iterdir() if results.is_dir() and not results.is_symlink() else ():
        if record.name in keys and record.is_file() and not record.is_symlink():
            # A stage that ran again elsewhere may have made other bytes than the run names.
            stored.update(_STORED.findall(record.read_text(encoding="utf-8", errors="replace")))
    return keys, stored
