"""What a CSV of digits looks like: compression, header, columns; found out from its first lines."""

import codecs
import csv
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import IO

from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_text import is_gzip, number, readable
from tasks.errors import DataError

_LABEL_NAMES = {"label", "labels", "digit", "class", "target", "y"}
_LONGEST_LINE = 1 << 24  # bytes; a digit's line is some kilobytes
_BOM = codecs.BOM_UTF8


@dataclass(frozen=True)
class CsvLayout:
    """Where in a CSV the pixels and the labels are.

    Attributes:
        path: the file.
        compressed: whether it is gzip.
        header: the column names, or None where the first line is a digit.
        columns: how many there are.
        label: index of the label's column, or None where there is none.
        image_side: height and width of an image, in pixels.
        first_line: number, from 1, of the first line that is not blank: the header or a digit.
        digits_line: number of the first digit's line.
        digits_offset: byte of the uncompressed file at which that line begins.
    """

    path: Path
    compressed: bool
    header: tuple[str, ...] | None
    columns: int
    label: int | None
    image_side: int
    first_line: int
    digits_line: int
    digits_offset: int

    def named(self, column: int) -> str:
        """Return what to call a column: its number from 1 and its name if it has one."""
        return f"column {column + 1}" + (f" ({self.header[column]})" if self.header else "")


def find_layout(path: Path, csv_format: CsvFormat, known_side: int | None = None) -> CsvLayout:
    """Look at a CSV's first lines.

    Args:
        path: the file, plain or gzip whatever it is called.
        csv_format: what the user says about it.
        known_side: height and width that its images must have; the label may then be missing.

    Raises:
        DataError: it can't be a CSV of digits; the message says why.
    """
    compressed = is_gzip(path)
    with readable(path, compressed) as file:
        first = _next_line(file, _Line(b"", 0, 0))
        if not first.content:
            raise DataError(f"{path}: nothing but blank lines. Expected is one image a line.")
        where = f"{path}: line {first.number}"
        fields = _fields(first, path, where)
        header = tuple(name.strip() for name in fields) if _is_header(fields) else None
        digits = _next_line(file, first) if header else first
    columns = len(fields)
    if header is not None and len(set(header)) < columns:
        twice = next(name for name in header if header.count(name) > 1)
        raise DataError(
            f"{where}: the header names column {twice!r} twice. Give each its own name."
        )
    if columns < 2:
        text = first.content.decode(errors="replace")
        other = next((name for mark, name in _MARKS.items() if mark in text), None)
        raise DataError(
            f"{where}: one column only"
            + (f", but there are {other}; columns must be parted by commas." if other else ".")
            + " Expected are an image's pixels and its label, parted by commas."
        )
    label = None
    if known_side is None or columns != known_side**2:
        side = _image_side(columns, known_side, where, fields[-1] == "")
        label = _label_index(where, header, columns, csv_format.label_column)
    else:
        side = known_side
    if not digits.content:
        raise DataError(f"{where}: a header and no digit. Expected is one image a line.")
    return CsvLayout(
        path, compressed, header, columns, label, side, first.number, digits.number, digits.offset
    )


def _image_side(columns: int, known_side: int | None, where: str, ends_in_comma: bool) -> int:
    """Return the side of images that have all columns but the label's."""
    side = isqrt(columns - 1)
    if known_side is not None and side * side == columns - 1 != known_side**2:
        raise DataError(
            f"{where}: images of {side} × {side} pixels, but the network reads {known_side} × "
            f"{known_side}. Give {known_side**2} columns of pixels, with or without a label."
        )
    if known_side is not None and columns - 1 != known_side**2:
        raise DataError(
            f"{where}: {columns} columns, but the network reads {known_side} × {known_side} "
            f"pixels. Give {known_side**2} columns of pixels, with or without a label."
        )
    if side * side == columns - 1:
        return side
    if ends_in_comma:
        hint = "The line ends in a comma, which makes an empty column: take it away."
    elif isqrt(columns) ** 2 == columns:
        hint = (
            f"{columns} would be {isqrt(columns)} × {isqrt(columns)} pixels without a label: add a "
            "column of labels."
        )
    else:
        hint = "An index column, if there is one, must go."
    raise DataError(
        f"{where}: {columns} columns are {columns - 1} pixels and a label, and {columns - 1} "
        "pixels are no square image. Allowed are 401 (20 × 20), 785 (28 × 28), 65 (8 × 8) and "
        f"so on. {hint}"
    )


_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class _Line:
    """A line's bytes with its end but no byte-order mark, empty after the last line.

    It comes with its number from 1 and the byte at which it begins.
    """

    content: bytes
    number: int
    offset: int


def _next_line(file: IO[bytes], before: _Line) -> _Line:
    """Return the next line that is not blank."""
    number, offset = before.number, before.offset + len(before.content)
    while content := file.readline(_LONGEST_LINE):
        number += 1
        if number == 1 and content.startswith(_BOM):
            content, offset = content[len(_BOM) :], len(_BOM)
        if content.strip(b" \t\r\n"):
            return _Line(content, number, offset)
        offset += len(content)
    return _Line(b"", number, offset)


def _fields(line: _Line, path: Path, where: str) -> list[str]:
    try:
        text = line.content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if any(not mark.isprintable() and not mark.isspace() for mark in text):
        raise DataError(
            f"{path}: no text in UTF-8. Expected is a CSV, plain or .gz, one image a line."
        )
    if "\r" in text.rstrip("\r\n"):
        raise DataError(
            f"{where}: has a carriage return inside. Lines must end in a line feed, with or "
            "without a carriage return before it."
        )
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise DataError(f"{where}: {error}. Is a quote left open?") from error


def _is_header(fields: list[str]) -> bool:
    """Tell names from a digit: mostly words, or numbers that just count the columns."""
    words = [field for field in fields if not _is_number(field)]
    if 2 * len(words) > len(fields):
        return True
    numbers = [field.strip() for field in fields if _is_number(field)]
    counts = [str(number) for number in range(len(numbers) + 1)]
    return len(numbers) > 2 and (numbers == counts[:-1] or numbers == counts[1:])


def _is_number(field: str) -> bool:
    # An empty cell is a fault of a digit, not a name.
    return not field.strip() or number(field) is not None


def _label_index(
    where: str, header: tuple[str, ...] | None, columns: int, label_column: str
) -> int:
    names = header or ()
    if label_column in names and label_column not in ("first", "last"):
        return names.index(label_column)
    if label_column not in ("first", "last"):
        found = f"the header has {_some(names)}" if header else "the file has no header"
        raise DataError(
            f"{where}: no column is called {label_column!r}; {found}. "
            "Give --label-column last, first, or a name in the header."
        )
    index = 0 if label_column == "first" else columns - 1
    # A header that says otherwise is right: labels taken from a column of pixels would train a
    # network on nonsense without a word.
    said = [column for column, name in enumerate(names) if name.lower() in _LABEL_NAMES]
    if len(said) == 1 and said[0] != index:
        option = "first" if said[0] == 0 else names[said[0]]
        raise DataError(
            f"{where}: the header calls column {said[0] + 1} {names[said[0]]!r}, but "
            f"--label-column {label_column} is column {index + 1} ({names[index]}). "
            f"Give --label-column {option}."
        )
    return index


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names if len(names) <= 4 else (*names[:2], "…", names[-1]))
