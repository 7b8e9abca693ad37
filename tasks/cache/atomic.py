"""Writing a file whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a path beside the target, for a file that takes the target's place on success.

    The bytes are on disk before the rename, so the target is always the old file or the new one,
    whole; on any failure the new file is removed and the target left as it was. The target's
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
