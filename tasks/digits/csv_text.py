"""The text of a CSV: opened whether plain or gzip, read as UTF-8, its cells as numbers."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tasks.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def readable(path: Path, compressed: bool) -> Iterator[IO[bytes]]:
    """Open a plain or gzip file for reading.

    Raises:
        DataError: on opening or while reading: a gzip that is cut off or damaged, or a file that
            can't be read.
    """
    try:
        with gzip.open(path, "rb") if compressed else path.open("rb") as file:
            yield file  # type: ignore[misc]  # gzip.open in mode rb gives bytes
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: the gzip is cut off or damaged ({error}). Fetch it anew."
        ) from error
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}.") from error


def is_gzip(path: Path) -> bool:
    """Tell by a file's first bytes whether it is gzip, whatever it is called.

    Raises:
        DataError: it is a folder, empty, can't be read, or is named .gz and is not.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder. Name one CSV file, plain or .gz.")
    with readable(path, compressed=False) as file:
        magic = file.read(2)
    if not magic:
        raise DataError(f"{path}: empty. Expected is one image a line: its pixels and its label.")
    if path.suffix == ".gz" and magic != _GZIP_MAGIC:
        raise DataError(f"{path}: named .gz but no gzip. Rename it or compress it with gzip.")
    return magic == _GZIP_MAGIC


def text_lines(file: IO[bytes]) -> io.TextIOWrapper:
    """Return a binary file as text; bytes that are no UTF-8 become a mark that is no number."""
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")


def number(field: str) -> float | None:
    """Return a cell's number, or None; Python's underscores and foreign digits are no numbers."""
    text = field.strip(" \t")
    if not text.isascii() or "_" in text or text != text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return None
