"""Locks between processes: many may share one, or one may hold it alone.

They are the kernel's (`flock`), on a file that is open in the process that holds them. So a process
that ends, by kill -9 too, leaves no lock behind. The file itself stays and means nothing; it must
never be deleted, or two processes could each hold the lock of a file of that name.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

IN_USE = ".in-use"  # in the artifacts folder: flows share it while they run, `prune` holds it alone


class InUseError(OSError):
    """A lock can't be had at once, because another process holds it."""


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock together with others; wait while another process holds it alone.

    Args:
        path: the lock's file; it and its folder are made if they are missing.
    """
    with _take(path, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock alone; wait while any other process holds it.

    It must not be taken again inside its block: that waits for ever.

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
        InUseError: another process holds it.
    """
    try:
        lock = _take(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InUseError(f"{path}: another process holds this lock. Try again later.") from error
    with lock:
        yield


def _take(path: Path, operation: int) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Makes it, and leaves what is in it; no child process inherits it. A pipe of that name would
    # make an ordinary open wait for a reader.
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK), "rb")
    try:
        fcntl.flock(file, operation)
    except BaseException:
        file.close()
        raise
    return file
