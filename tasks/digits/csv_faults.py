"""The careful look at a CSV in which something is wrong: finds the first fault and explains it.

Reading is fast because it does not look at single cells. When it meets anything it does not
expect, this reads the file again line by line, so that the message can say where and what.
"""

import csv
import math

from tasks.digits.classes import in_words
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_layout import CsvLayout
from tasks.digits.csv_text import number, readable, text_lines
from tasks.errors import DataError

LEAST, MOST = -0.5, 1.5  # ink as a share of pixel_max; resampled images overshoot by about 0.13


def first_fault(layout: CsvLayout, csv_format: CsvFormat, good_rows: int) -> DataError:
    """Return the error for the first line of a CSV that breaks a rule.

    Args:
        layout: where things are in the file.
        csv_format: what the user says about it.
        good_rows: how many digits at the beginning are known to be right; they are passed over.
    """
    with readable(layout.path, layout.compressed) as file:
        file.seek(layout.digits_offset)
        lines = csv.reader(text_lines(file))
        line, rows = layout.digits_line, 0
        try:
            for fields in lines:
                after = layout.digits_line + lines.line_num
                if after > line + 1:
                    return DataError(
                        f"{layout.path}: line {line}: a quoted cell goes on in the next line. "
                        "Close the quote on its own line."
                    )
                rows += bool(fields)
                fault = _fault(fields, layout, csv_format) if fields and rows > good_rows else None
                if fault:
                    return DataError(f"{layout.path}: line {line}: {fault}")
                line = after
        except csv.Error as error:
            return DataError(f"{layout.path}: line {line}: {error}. Is a quote left open?")
    return DataError(f"{layout.path}: not the comma-separated numbers of digits.")


def _fault(fields: list[str], layout: CsvLayout, csv_format: CsvFormat) -> str | None:
    if len(fields) != layout.columns:
        found = "1 column" if len(fields) == 1 else f"{len(fields)} columns"
        return (
            f"{found}, but line {layout.first_line} has {layout.columns}. "
            "Every line must have as many."
        )
    values: list[float] = []
    for column, field in enumerate(fields):
        where = f"{layout.named(column)}: "
        if not field.strip():
            return f"{where}the cell is empty. A number is needed."
        value = number(field)
        if value is None:
            return f"{where}{_shown(field)} is no number."
        if not math.isfinite(value):
            return f"{where}{_shown(field)} is not finite. A finite number is needed."
        values.append(value)
    if layout.label is not None:
        fault = _label_fault(values[layout.label], csv_format)
        if fault:
            return f"{layout.named(layout.label)}: {fault}"
    least, most = LEAST * csv_format.pixel_max, MOST * csv_format.pixel_max
    for column, value in enumerate(values):
        if column != layout.label and not least <= value <= most:
            return (
                f"{layout.named(column)}: pixel {value:g} is far outside 0 … "
                f"{csv_format.pixel_max:g}. Give --pixel-max, the value of full ink, or "
                "--label-column if this is a label."
            )
    return None


def _label_fault(label: float, csv_format: CsvFormat) -> str | None:
    classes = csv_format.classes
    if label in classes or (label == 10 and csv_format.label_ten_is_zero):
        return None
    if label == 10 and 0 in classes:
        remedy = "if 10 means 0, give --label-ten-is-zero"
    else:
        remedy = (
            "if the label is in another column, give --label-column first or its name; if there "
            "are other labels, name them with --classes"
        )
    allowed = in_words(classes) + (", and 10 for 0" if csv_format.label_ten_is_zero else "")
    return f"label {label:g}. Allowed are {allowed}; {remedy}."


def _shown(field: str) -> str:
    return repr(field if len(field) <= 30 else field[:30] + "…")
