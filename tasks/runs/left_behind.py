"""What processes that are killed leave in an artifacts folder, or in the mirror of a URL."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tasks.remote.contents import Entry, entries_here, entry
from tasks.remote.mirror import url_of
from tasks.runs.folders import BY_RUN, BY_STAGE_KEY, MANIFEST, SWEEP

_SCRATCH = re.compile(r"\.new-\w+")
# As `atomic_path` calls a file of ours; that of a stored one has its digest's beginning.
_TEMPORARY = re.compile(r"\.[\w.]+(?:-[0-9a-f]{16}\.\w+)?-[0-9a-f]{8}")


def left_behind(artifacts: Path, latest: float) -> list[tuple[Entry, str]]:
    """Return what nothing will finish or use, and why; no flow runs over the folder.

    Commands without a flow write to a mirror too: they download what they are asked for.

    Args:
        artifacts: the artifacts folder; where it is on a URL, its mirror is looked through.
        latest: what was written to after that, in seconds since 1970, may still be written to.
    """
    checkpoints = _named(artifacts, "checkpoints", BY_STAGE_KEY)
    scratch = [*_named(artifacts, "store", _SCRATCH), *_named(artifacts, "sweeps", _SCRATCH)]
    temporary = [*_temporary(artifacts, artifacts)]
    if url_of(artifacts) is not None:
        temporary += _in_mirror(artifacts)
    found = [
        *((each, "checkpoint, and no training is running") for each in checkpoints),
        *((each, "left by something that was cut short") for each in (*scratch, *temporary)),
    ]
    return [(each, reason) for each, reason in found if each.modified < latest]


def _in_mirror(artifacts: Path) -> Iterator[Entry]:
    """Yield what a download or an upload leaves that did not come to its end."""
    for place, last in (("runs", MANIFEST), ("sweeps", SWEEP)):
        for folder in _named(artifacts, place, BY_RUN):
            if not (artifacts / folder.path / last).exists():
                yield folder
                continue
            for at, _, _ in os.walk(artifacts / folder.path):
                yield from _temporary(artifacts, Path(at))
    for place in ("store", "results"):
        yield from _named(artifacts, place, _TEMPORARY)


def _named(artifacts: Path, place: str, name: re.Pattern[str]) -> list[Entry]:
    return [each for each in entries_here(artifacts, place) if name.fullmatch(each.path.name)]


def _temporary(artifacts: Path, folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.iterdir()):
        if _TEMPORARY.fullmatch(path.name):
            yield entry(artifacts, path)
