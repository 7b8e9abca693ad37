"""What there is in an artifacts folder or on a URL, with sizes and ages, to be looked through."""

import math
import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tasks.remote.objects import objects_of


class Entry(NamedTuple):
    """A file, or a folder with all that is in it."""

    path: Path  # from the artifacts folder
    bytes: int
    modified: float  # seconds since 1970; of a folder, the latest of what is in it


def entries(artifacts: Path, parent: str) -> list[Entry]:
    """Return what is in a folder, by name; links to other places are left out.

    Args:
        artifacts: the artifacts folder.
        parent: the folder in it, such as runs.
    """
    objects = objects_of(artifacts)
    if objects is None:
        return entries_here(artifacts, parent)
    found: dict[str, Entry] = {}
    for each in objects.under(parent):
        name = each.name.split("/")[1]
        path, size, modified = found.get(name, Entry(Path(parent, name), 0, 0.0))
        found[name] = Entry(path, size + each.bytes, max(modified, each.modified))
    return [found[name] for name in sorted(found)]


def entries_here(artifacts: Path, parent: str) -> list[Entry]:
    """Return what `entries` does, of the mirror where artifacts are on a URL."""
    folder = artifacts / parent
    paths = folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ()
    return [entry(artifacts, path) for path in sorted(paths) if not path.is_symlink()]


def entry(artifacts: Path, path: Path) -> Entry:
    """Return what there is under one path on this machine."""
    size, times = 0, []
    within = os.walk(path) if path.is_dir() and not path.is_symlink() else ()
    for each in (path, *(Path(at, name) for at, _, names in within for name in names)):
        with suppress(FileNotFoundError):  # it has just got its right name
            status = each.lstat()
            size += 0 if stat.S_ISDIR(status.st_mode) else status.st_size
            times.append(status.st_ctime)  # what is downloaded has the other time from its object
    return Entry(path.relative_to(artifacts), size, max(times, default=math.inf))


def remove(artifacts: Path, paths: Sequence[Path], first: str) -> None:
    """Remove files or folders, on a URL there and in the mirror.

    Args:
        artifacts: the artifacts folder.
        paths: from the artifacts folder, all in one folder; a link is removed itself.
        first: of a folder, the file to begin with: without it, what is left counts for nothing.
    """
    objects = objects_of(artifacts)
    if objects and paths:
        # As paths, because a name may begin with another.
        there = [Path(each.name) for each in objects.under(paths[0].parent.as_posix())]
        going = [name for name in there if Path(*name.parts[:2]) in set(paths)]
        objects.delete([name.as_posix() for name in going if name.name == first])
        objects.delete([name.as_posix() for name in going if name.name != first])
    remove_here(artifacts, paths, first)


def remove_here(artifacts: Path, paths: Sequence[Path], first: str) -> None:
    """Remove files or folders as `remove` does, of the mirror where artifacts are on a URL."""
    for path in (artifacts / path for path in paths):
        if path.is_dir() and not path.is_symlink():
            (path / first).unlink(missing_ok=True)
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # a mirror has not everything
