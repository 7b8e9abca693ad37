"""The text of a CSV, plain or gzip, read once from front to back in pieces of whole lines.

However a file is made, a piece is bounded: no line and no run of blank lines may be longer than
`LONGEST_LINE`.
"""

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from tasks.errors import DataError

LONGEST_LINE = 1 << 24  # bytes; a digit's line is some kilobytes
_BLOCK = 1 << 20  # bytes read at a time
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = codecs.BOM_UTF8


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Lines:
    """Some lines of a CSV, each ended by a line feed, and the number, from 1, of the first."""

    text: bytes
    number: int


class _Digested:
    """A file that keeps the digest of all that was read from it."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._digest.update(content)
        return content

    def sha256(self) -> str:
        while self.read(_BLOCK):
            pass
        return self._digest.hexdigest()


class CsvText:
    """A CSV's lines, each handed out once; those still to come can be looked at."""

    def __init__(self, path: Path, text: _Readable, raw: _Readable, sha256: str | None):
        self.path = path
        self._text = text
        self._raw = raw  # the file that the text is in
        self._sha256 = sha256
        self._lines = b""  # whole ones that were read and not yet handed out
        self._number = 1  # of the first line that was not yet handed out
        self._beginning = b""  # of the line whose end is not read yet
        self._blank = 0  # bytes of blank lines since the last other one

    def peek(self) -> Lines:
        """Return the next line that is not blank, without a byte-order mark; empty at the end.

        Raises:
            DataError: see `blocks`.
        """
        while self._lines or self._read():
            text = self._lines.removeprefix(_BOM)
            content = text.lstrip(b" \t\r\n")
            start = text.rfind(b"\n", 0, len(text) - len(content)) + 1
            self._number += _line_ends(text[:start])
            self._lines = text[start:]
            if content:
                break
        end = self._lines.find(b"\n") + 1
        return Lines(self._lines[:end], self._number)

    def skip(self) -> None:
        """Pass over the line that `peek` returned."""
        end = self._lines.find(b"\n") + 1
        self._lines = self._lines[end:]
        self._number += 1

    def blocks(self) -> Generator[Lines]:
        """Yield all lines that are left, some at a time; each ends in a line feed alone.

        Raises:
            DataError: a line or a run of blank lines is too long.
        """
        while self._lines or self._read():
            lines = Lines(self._lines, self._number)
            self._number += _line_ends(self._lines)
            self._lines = b""
            yield lines

    def check_digest(self) -> None:
        """Compare the digest of all bytes, those that were read among them, with the right one.

        Raises:
            DataError: it is another one.
        """
        if isinstance(self._raw, _Digested) and self._raw.sha256() != self._sha256:
            raise DataError(
                f"{self.path}: changed while it was read. Start the run again when it is whole."
            )

    def _read(self) -> bool:
        """Read at least one whole line; false at the end of the file."""
        pieces, size = [self._beginning], len(self._beginning)
        while piece := self._text.read(_BLOCK):
            first, last = piece.find(b"\n"), piece.rfind(b"\n") + 1
            if size + (first if last else len(piece)) > LONGEST_LINE:
                raise DataError(
                    f"{self.path}: line {self._number}: longer than {LONGEST_LINE >> 20} MB, "
                    "which is the most a line may have. Expected is one image a line."
                )
            if last:
                self._beginning = piece[last:]
                self._hand_over(b"".join([*pieces, piece[:last]]))
                return True
            pieces.append(piece)
            size += len(piece)
        self._beginning = b""
        if size:
            self._hand_over(b"".join([*pieces, b"\n"]))
        return size > 0

    def _hand_over(self, text: bytes) -> None:
        self._blank = self._blank + len(text) if text.isspace() else 0
        if self._blank > LONGEST_LINE:
            raise DataError(
                f"{self.path}: line {self._number}: more than {LONGEST_LINE >> 20} MB of blank "
                "lines. Take them out; expected is one image a line."
            )
        self._lines = text.replace(b"\r\n", b"\n") if b"\r" in text else text


@contextmanager
def open_csv(path: Path, sha256: str | None = None) -> Iterator[CsvText]:
    """Open a CSV, plain or gzip by its first bytes, whatever it is called.

    Args:
        path: the file.
        sha256: the digest that its bytes must have, if that is known; see `CsvText.check_digest`.

    Raises:
        DataError: it is no file, empty, can't be read, or is named .gz and is not; on reading, a
            gzip is cut off or damaged.
    """
    try:
        if not path.exists():
            raise DataError(f"{path}: no such file. Name an existing CSV file, plain or .gz.")
        if not path.is_file():  # a pipe would be waited for
            kind = "a folder" if path.is_dir() else "no regular file"
            raise DataError(f"{path}: is {kind}. Name one CSV file, plain or .gz.")
        with path.open("rb") as file:
            magic = file.peek(2)[:2]
            if not magic:
                raise DataError(
                    f"{path}: empty. Expected is one image a line: its pixels and its label."
                )
            if path.suffix == ".gz" and magic != _GZIP_MAGIC:
                raise DataError(
                    f"{path}: named .gz but no gzip. Rename it or compress it with gzip."
                )
            raw = _Digested(file) if sha256 is not None else file
            # GzipFile asks no more of a file than that it can be read.
            text = gzip.GzipFile(fileobj=raw) if magic == _GZIP_MAGIC else raw  # type: ignore[arg-type]
            yield CsvText(path, text, raw, sha256)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: the gzip is cut off or damaged ({error}). Fetch it again."
        ) from error
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}.") from error


def number(field: str) -> float | None:
    """Return a cell's number, or None; Python's underscores and foreign digits are no numbers."""
    text = field.strip(" \t")
    if not text.isascii() or "_" in text or text != text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _line_ends(text: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))
