"""The careful look at lines of a CSV in which something is wrong: finds the first fault.

Reading is fast because it does not look at single cells. Where it meets anything it does not
expect, this goes over the same lines one by one, so that the message can say where and what.
"""

import csv
import math

from tasks.digits.batch import LEAST, MOST
from tasks.digits.classes import in_words
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_layout import CARRIAGE_RETURN, MOST_COLUMNS, CsvLayout
from tasks.digits.csv_text import Lines, number
from tasks.errors import DataError, quoted, shown


def first_fault(lines: Lines, layout: CsvLayout, data: CsvFormat) -> DataError:
    """Return the error for the first of some lines that breaks a rule.

    Args:
        lines: at least one of them does.
        layout: where things are in the file.
        data: what the user says about it.
    """
    line = lines.number
    for line, content in enumerate(lines.text.split(b"\n"), start=lines.number):
        fault = _fault(content.decode(errors="replace"), layout, data) if content else None
        if fault:
            return DataError(f"{layout.path}: line {line}: {fault}")
    return DataError(
        f"{layout.path}: lines {lines.number} to {line}: not the comma-separated numbers of images."
    )


def _fault(line: str, layout: CsvLayout, data: CsvFormat) -> str | None:
    if "\r" in line:
        return CARRIAGE_RETURN
    if (commas := line.count(",")) > MOST_COLUMNS:  # too many to be looked at one by one
        return _other_columns(commas + 1, layout)
    try:
        fields = next(csv.reader([line], strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return "a quoted cell goes on in the next line. Close the quote on its own line."
        return f"{error}. Is a quote left open?"
    if len(fields) != layout.columns:
        return _other_columns(len(fields), layout)
    values: list[float] = []
    for column, field in enumerate(fields):
        where = f"{layout.named(column)}: "
        if not field.strip():
            return f"{where}the cell is empty. A number is needed."
        value = number(field)
        if value is None:
            return f"{where}{quoted(field)} is no number."
        if not math.isfinite(value):
            return f"{where}{quoted(field)} is not finite. A finite number is needed."
        values.append(value)
    if layout.label is not None:
        fault = _label_fault(values[layout.label], data)
        if fault:
            return f"{layout.named(layout.label)}: {fault}"
    least, most = LEAST * data.pixel_max, MOST * data.pixel_max
    for column, value in enumerate(values):
        if column != layout.label and not least <= value <= most:
            return (
                f"{layout.named(column)}: pixel {shown(f'{value:g}')} is far outside 0 … "
                f"{data.pixel_max:g}. Set `pixel_max` to the value of full ink, or `label_column` "
                "if this is a label."
            )
    return None


def _other_columns(found: int, layout: CsvLayout) -> str:
    return (
        f"{found} column{'s' * (found > 1)}, but line {layout.first_line} has {layout.columns}. "
        "Every line must have as many."
    )


def _label_fault(label: float, data: CsvFormat) -> str | None:
    classes = data.classes
    if label in classes or (label == 10 and data.label_ten_is_zero):
        return None
    if label == 10 and 0 in classes:
        remedy = "if 10 means 0, set `label_ten_is_zero`"
    else:
        remedy = (
            "if the label is in another column, set `label_column` to first, last or its name; if "
            "there are other labels, name them in `classes`"
        )
    allowed = in_words(classes) + (", and 10 for 0" if data.label_ten_is_zero else "")
    return f"label {shown(f'{label:g}')}. Allowed are {allowed}; {remedy}."
