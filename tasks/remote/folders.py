"""Folders shared whole, such as a run's: every other file first, and last the one that completes.

A folder without its last file is not there for any reader. That file is first uploaded under
another name, so that a folder can be made complete by a copy inside the store: the champion is
changed between the two, and a reader that finds a champion without its last file makes the copy.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tasks.cache.store import damage
from tasks.remote.objects import is_plain, objects_of

T = TypeVar("T")

_AT_ONCE = 8  # files on their way
_PENDING = ".pending"  # ending of a last file's first name


def upload_folder(artifacts: Path, name: str, last: str) -> None:
    """Upload all files of a folder, if the artifacts are on a URL; nobody sees it yet.

    Args:
        artifacts: the artifacts folder.
        name: the folder's in it, such as runs/2026-11-22T13-05-11Z-amber-lynx.
        last: its file that completes it.

    Raises:
        FileExistsError: another machine has completed one of that name.
    """
    objects = objects_of(artifacts)
    if objects is None:
        return
    if objects.size(f"{name}/{last}") is not None:
        raise FileExistsError(f"{objects.url}/{name}: is there already")
    folder = artifacts / name
    pending = (folder / last).rename(folder / _pending(last))  # not to be seen here either
    paths = [path for path in folder.rglob("*") if path.is_file() and path != pending]
    _at_once(lambda path: objects.upload(path, path.relative_to(artifacts).as_posix()), paths)
    objects.upload(pending, f"{name}/{pending.name}")


def complete_folder(artifacts: Path, name: str, last: str) -> None:
    """Let everyone see an uploaded folder; nothing happens if they do, or if it is not there."""
    objects = objects_of(artifacts)
    if objects is None:
        return
    pending = f"{name}/{_pending(last)}"
    if objects.copy(pending, f"{name}/{last}"):
        objects.delete([pending])
    if (artifacts / pending).exists() and objects.size(f"{name}/{last}") is not None:
        (artifacts / pending).rename(artifacts / name / last)


def download_files(artifacts: Path, name: str, sha256s: Mapping[str, str]) -> None:
    """Have the mirror hold a folder's files as they are in the store, where artifacts are on a URL.

    Args:
        artifacts: the artifacts folder.
        name: the folder's in it.
        sha256s: what each file should hold, by its name in the folder. A file that holds it is not
            asked for; what the store has is taken as it is, for the reader to check.
    """
    objects = objects_of(artifacts)
    if objects is None:
        return

    def download(file: str) -> None:
        if is_plain(file) and damage(artifacts / name / file, sha256s[file]):
            objects.download(f"{name}/{file}", artifacts / name / file)

    _at_once(download, sha256s)


def download_all(artifacts: Path, names: Iterable[str], target: Path) -> None:
    """Download objects into another folder than the mirror, as they are now.

    Args:
        artifacts: the artifacts folder; on a URL.
        names: the objects' names; those that lead out of a folder, or are a last file's first name,
            are left out.
        target: what their names are from.
    """
    objects = objects_of(artifacts)
    assert objects
    # A kill just after a folder was completed leaves its last file under both names.
    wanted = [name for name in names if is_plain(name) and not name.endswith(_PENDING)]
    _at_once(lambda name: objects.download(name, target / name), wanted)


def update_folders(artifacts: Path, parent: str, files: tuple[str, ...]) -> None:
    """Have the mirror know the same complete folders as the store, if the artifacts are on a URL.

    Args:
        artifacts: the artifacts folder.
        parent: the folder that they are in, such as runs.
        files: those of their files that are downloaded; the last completes a folder.
    """
    objects = objects_of(artifacts)
    if objects is None:
        return
    *_, last = files
    there = objects.folders(parent)
    here = {path.parent.name for path in (artifacts / parent).glob(f"*/{last}")}

    def download(folder: str) -> None:
        # The last file is asked for first, for without it there is no folder, and moved in last.
        name = f"{parent}/{folder}"
        if objects.size(f"{name}/{last}") is not None:
            for file in files:
                objects.download(f"{name}/{file}", artifacts / name / file)

    _at_once(download, there - here)
    for gone in here - there:
        (artifacts / parent / gone / last).unlink(missing_ok=True)
        shutil.rmtree(artifacts / parent / gone, ignore_errors=True)


def _pending(last: str) -> str:
    return f"{last}{_PENDING}"


def _at_once(transfer: Callable[[T], object], each: Iterable[T]) -> None:
    """Do several transfers at once; the first error is raised when all have ended."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(transfer, each))
