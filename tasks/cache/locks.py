"""Locks between processes: many may share one, or one may have it alone.

They are the kernel's (`flock`), on a file that is open in the process that holds them. So a process
that ends, by kill -9 too, leaves no lock behind. The file itself stays and means nothing; it must
never be deleted, or two processes could each hold the lock of a file of that name.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

IN_USE = ".in-use"  # in the artifacts folder: flows share it while they run, `prune` has it alone


class InUseError(OSError):
    """A lock can't be had at once, because somebody else holds it."""


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock together with others; wait while somebody has it alone.

    Args:
        path: the lock's file; it and its folder are made if they are missing.
    """
    with _take(path, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock alone; wait while anybody else holds it.

    Whoever takes it twice, one inside the other, waits for itself for ever.

    Args:
        path: the lock's file; it and its folder are made if they are missing.
    """
    with _take(path, fcntl.LOCK_EX):
        yield


@contextmanager
def exclusive_at_once(path: Path) -> Iterator[None]:
    """Hold a lock alone, or fail without waiting.

    Args:
        path: the lock's file; it and its folder are made if they are missing.

    Raises:
        InUseError: somebody else holds it.
    """
    try:
        lock = _take(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InUseError(f"{path}: somebody else holds this lock. Try again later.") from error
    with lock:
        yield


def _take(path: Path, operation: int) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a")  # makes it, and leaves what is in it; no child process inherits it
    try:
        fcntl.flock(file, operation)
    except BaseException:
        file.close()
        raise
    return file
