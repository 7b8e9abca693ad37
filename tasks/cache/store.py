"""Where stage outputs live: files named by their content, under one folder that can be moved.

Nothing here knows about Prefect or about what is inside a file.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.cache.atomic import clear
from tasks.errors import DataError


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damage(path: Path, sha256: str) -> str | None:
    """Return in a few words how a file differs from what its digest says; None if it does not."""
    if not path.is_file():
        return "is not a file" if path.exists() or path.is_symlink() else "is missing"
    try:
        found = sha256_of(path)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    return None if found == sha256 else "was altered: its content has another digest"


class SourceFile(BaseModel):
    """A file of the user's: where it is, and what was in it when the run began."""

    model_config = ConfigDict(frozen=True)

    path: Path
    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: Path) -> "SourceFile":
        """Take a file's digest.

        Raises:
            DataError: the file is missing, is not a regular file, or can't be read.
        """
        if not path.exists():
            raise DataError(f"{path}: no such file. Name an existing CSV file with --csv.")
        if not path.is_file():
            raise DataError(f"{path}: not a file. Name one CSV file with --csv, plain or .gz.")
        try:
            return cls(path=path, sha256=sha256_of(path), bytes=path.stat().st_size)
        except OSError as error:
            raise DataError(f"{path}: can't be read: {error.strerror}.") from error


class StoredFile(BaseModel):
    """A file in the store, named without saying where the store is."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str
    bytes: int


class Store(BaseModel):
    """The artifacts folder as the stages see it: content-named files and Prefect's result records.

    Two runs that write the same content write the same file, so the second changes nothing.
    """

    model_config = ConfigDict(frozen=True)

    folder: Path

    @property
    def files(self) -> Path:
        """The folder of stage outputs."""
        return self.folder / "store"

    @property
    def results(self) -> Path:
        """The folder of Prefect's result records, one a stage key."""
        return self.folder / "results"

    def checkpoint(self, key: str) -> Path:
        """Return where the stage of a key keeps its state while it is at work."""
        return self.folder / "checkpoints" / key

    def drop_checkpoint(self, key: str) -> None:
        """Remove what the stage of a key kept while it was at work."""
        clear(self.checkpoint(key))

    def path(self, file: StoredFile) -> Path:
        """Return where a stored file is now."""
        return self.files / file.name

    def prepare(self) -> None:
        """Make the folders, and see that each can be written to before any work is done.

        Raises:
            OSError: one can't; Prefect would only warn of a result it could not store.
        """
        for folder in (self.files, self.results, self.folder / "runs"):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder) as probe:
                    probe.write(b"1")
            except OSError as error:
                raise OSError(
                    error.errno, f"can't be written to: {error.strerror}", folder
                ) from error

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a private folder on the store's own disk, removed afterwards."""
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.files) as folder:
            yield Path(folder)

    def keep(self, path: Path) -> StoredFile:
        """Move a finished file from scratch into the store under a name made from its content.

        The move is one rename after the bytes are on disk, so a name in the store always means
        whole content.
        """
        with path.open("rb") as file:
            os.fsync(file.fileno())
        digest = sha256_of(path)
        size = path.stat().st_size
        name = f"{path.stem}-{digest[:16]}{path.suffix}"
        kept = self.files / name
        if kept.is_dir():  # a file can't be renamed over a folder
            clear(kept)
        path.replace(kept)
        return StoredFile(name=name, sha256=digest, bytes=size)

    def damage(self, file: StoredFile) -> str | None:
        """Return how a stored file differs from what was kept; None if it does not."""
        wrong = damage(self.path(file), file.sha256)
        return f"stored file {file.name} {wrong}" if wrong else None
