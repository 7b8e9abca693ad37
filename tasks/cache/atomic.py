"""Writing a file whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a path next to the target, for a file that replaces the target on success.

    The bytes are on disk before the rename, so the target is always the old file or the new one,
    whole; on any failure the new file is removed and the target stays as it was. The target's
    folder is made if it is missing.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        yield new
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def clear(path: Path) -> None:
    """Remove what has a name that a file of ours needs: a file, a link itself, a folder, a pipe."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
