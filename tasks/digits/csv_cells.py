"""The numbers in lines of a CSV, all at once; which cell is wrong is for `csv_faults` to find."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

_COMMA, _LINE_END, _ZERO = np.frombuffer(b",\n0", np.uint8)
_COMMAS_AS_LINE_ENDS = bytes.maketrans(b",", b"\n")
_AS_FLOATS = pa_csv.ConvertOptions(column_types={"cell": pa.float64()}, null_values=[])


def cells_of(text: bytes, columns: int) -> np.ndarray | None:
    """Return the cells of lines as (rows, columns) numbers, or None if there is a fault.

    Whole numbers from 0 to 255, written with no more than their digits, come as uint8, and all
    others as float64. Blank lines are passed over.

    Args:
        text: lines, each ended by a line feed.
        columns: how many cells each line must have; two or more.
    """
    if text.startswith(b"\n") or b"\n\n" in text:
        text = re.sub(rb"\n+", b"\n", text).removeprefix(b"\n")
    if not text:
        return np.empty((0, columns), np.uint8)
    characters = np.frombuffer(text, np.uint8)
    cells = _bytes(characters, columns)
    return _numbers(text, characters, columns) if cells is None else cells


def _bytes(characters: np.ndarray, columns: int) -> np.ndarray | None:
    """Return cells of one to three digits that are 0 to 255; None if one is something else.

    To look left of the first cell is to look at the end of the last line, which is no digit.
    """
    digits = characters - _ZERO  # 0 to 9; every other character wraps to a greater one
    ends = np.flatnonzero(digits > 9)
    if not _fit(characters[ends], columns):
        return None
    cells: np.ndarray = digits[ends - 1]
    if cells.max() > 9:  # an empty cell
        return None
    tens = digits[ends - 2]
    longer = np.flatnonzero(tens <= 9)
    cells[longer] += tens[longer] * np.uint8(10)
    hundreds = digits[ends[longer] - 3]
    three = hundreds <= 9
    longer, hundreds = longer[three], hundreds[three]
    values = np.uint16(100) * hundreds + cells[longer]
    if (values > 255).any() or (digits[ends[longer] - 4] <= 9).any():
        return None
    cells[longer] = values
    return cells.reshape(-1, columns)


def _numbers(text: bytes, characters: np.ndarray, columns: int) -> np.ndarray | None:
    """Return cells of any numbers, or None if one is none or a line has not all its columns."""
    if not _fit(characters[(characters == _COMMA) | (characters == _LINE_END)], columns):
        return None
    # One column takes Arrow less time than hundreds, and no memory that grows with their number.
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(text.translate(_COMMAS_AS_LINE_ENDS)),
            pa_csv.ReadOptions(column_names=["cell"], use_threads=False, block_size=len(text) + 1),
            pa_csv.ParseOptions(ignore_empty_lines=False),
            _AS_FLOATS,
        )
    except pa.ArrowInvalid:
        return None
    if len(table) % columns:  # a quoted line end joined two cells
        return None
    cells: np.ndarray = np.from_dlpack(table.column("cell").chunk(0))  # to_numpy imports pandas
    return cells.reshape(-1, columns)


def _fit(separators: np.ndarray, columns: int) -> bool:
    """Whether commas and line ends are where lines of so many columns have them."""
    if not len(separators) or len(separators) % columns:
        return False
    lines = separators.reshape(-1, columns)
    return bool((lines[:, :-1] == _COMMA).all() and (lines[:, -1] == _LINE_END).all())
