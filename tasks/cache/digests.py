"""Whether a file still is what its digest says."""

from pathlib import Path

from tasks.cache.store import sha256_of


def damage(path: Path, sha256: str) -> str | None:
    """Say what is wrong with a file in a few words, or None if it has this digest."""
    if not path.is_file():
        return "is not a file" if path.exists() else "is missing"
    try:
        found = sha256_of(path)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    return None if found == sha256 else "was altered: its digest is not the manifest's"
