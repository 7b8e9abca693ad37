"""What a CSV of images looks like: header, columns, image size; found out from its first lines."""

import csv
from collections import Counter
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

from tasks.digits.batch import MOST_SIDE
from tasks.digits.csv_format import LABEL_NAMES, CsvFormat
from tasks.digits.csv_text import CsvText, Lines, number, open_csv
from tasks.errors import DataError, quoted, shown

MOST_COLUMNS = MOST_SIDE**2 + 1
CARRIAGE_RETURN = (
    "has a carriage return inside. Lines must end in a line feed, with or without a carriage "
    "return before it."
)


@dataclass(frozen=True)
class CsvLayout:
    """Where in a CSV the pixels and the labels are.

    Attributes:
        path: the file.
        header: the column names, or None where the first line is an image.
        columns: how many there are.
        label: index of the label's column, or None where there is none.
        image_side: height and width of an image, in pixels.
        first_line: number, from 1, of the first line that is not blank: the header or an image.
    """

    path: Path
    header: tuple[str, ...] | None
    columns: int
    label: int | None
    image_side: int
    first_line: int

    def named(self, column: int) -> str:
        """Return what to call a column: its number from 1 and its name if it has one."""
        name = f" ({shown(self.header[column])})" if self.header else ""
        return f"column {column + 1}{name}"


def check_csv(path: Path, csv_format: CsvFormat) -> None:
    """Look at no more of a CSV than its first lines.

    Raises:
        DataError: it can't be a CSV of labelled images; the message says why.
    """
    with open_csv(path) as text:
        find_layout(text, csv_format)


def find_layout(text: CsvText, csv_format: CsvFormat, known_side: int | None = None) -> CsvLayout:
    """Look at a CSV's first lines, and leave its text at the first image.

    Args:
        text: the file, from its beginning.
        csv_format: what the user says about it.
        known_side: height and width that its images must have; the label may then be missing.

    Raises:
        DataError: it can't be a CSV of images; the message says why.
    """
    first = text.peek()
    if not first.text:
        raise DataError(f"{text.path}: nothing but blank lines. Expected is one image a line.")
    where = f"{text.path}: line {first.number}"
    fields = _fields(first, text.path)
    columns = len(fields)
    header = None
    if _is_header(fields):
        header = tuple(name.strip() for name in fields)
        text.skip()
        name, times = Counter(header).most_common(1)[0]
        if times > 1:
            raise DataError(
                f"{where}: the header names column {quoted(name)} twice. Give each its own name."
            )
    if columns < 2:
        other = next((name for mark, name in _MARKS.items() if mark in fields[0]), None)
        raise DataError(
            f"{where}: one column only"
            + (f", but there are {other}; columns must be separated by commas." if other else ".")
            + " Expected are an image's pixels and its label, separated by commas."
        )
    label, side = None, known_side
    if side is None or columns != side**2:
        side = _image_side(columns, known_side, where, fields[-1] == "")
        label = _label_index(where, header, columns, csv_format.label_column)
    if not text.peek().text:
        raise DataError(f"{where}: a header and no image. Expected is one image a line.")
    return CsvLayout(text.path, header, columns, label, side, first.number)


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


def _fields(line: Lines, path: Path) -> list[str]:
    where = f"{path}: line {line.number}"
    try:
        text = line.text.decode()
    except UnicodeDecodeError:
        text = "\0"
    if any(not mark.isprintable() and not mark.isspace() for mark in text):
        raise DataError(
            f"{path}: no text in UTF-8. Expected is a CSV, plain or .gz, one image a line."
        )
    if "\r" in text:
        raise DataError(f"{where}: {CARRIAGE_RETURN}")
    if text.count(",") >= MOST_COLUMNS:
        raise DataError(
            f"{where}: {text.count(',') + 1} columns. Allowed are {MOST_COLUMNS} at most, which "
            f"are {MOST_SIDE} × {MOST_SIDE} pixels and a label."
        )
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise DataError(f"{where}: {error}. Is a quote left open?") from error


def _is_header(fields: list[str]) -> bool:
    """Return whether a line names the columns: by words mostly, or by counting them."""
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
            "Set `label_column` to last, first, or a name in the header."
        )
    index = 0 if label_column == "first" else columns - 1
    # A header that says otherwise is right: labels taken from a column of pixels would train a
    # network on nonsense without a word.
    said = [column for column, name in enumerate(names) if name.lower() in LABEL_NAMES]
    if len(said) == 1 and said[0] != index:
        option = "first" if said[0] == 0 else names[said[0]]
        raise DataError(
            f"{where}: the header calls column {said[0] + 1} {names[said[0]]!r}, but "
            f"`label_column` {label_column} is column {index + 1} ({shown(names[index])}). "
            f"Set `label_column` to {option}."
        )
    return index


def _some(names: tuple[str, ...]) -> str:
    some = names if len(names) <= 4 else (*names[:2], "…", names[-1])
    return ", ".join(map(shown, some))
