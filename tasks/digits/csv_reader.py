"""Digits out of a CSV: streamed batch by batch, every cell checked, never a half-written file."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from tasks.digits.classes import class_counts, in_words, label_type
from tasks.digits.csv_faults import LEAST, MOST, first_fault
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_layout import CsvLayout, find_layout
from tasks.digits.csv_text import readable
from tasks.digits.read_ahead import read_ahead
from tasks.digits.table import digit_writer
from tasks.errors import DataError

_BLOCK = 1 << 20  # bytes of text at a time; Arrow reads some thirty of them ahead
_AHEAD = 8  # batches; as many as arrive while a group of rows is written
_LONG_CELL = 32  # bytes; a block must hold a whole line, however large the images are
_FAINT = 1.5  # no pixel above it under a pixel_max of 255 means pixels scaled to 0 … 1


@dataclass(frozen=True)
class Batch:
    """Some rows: (rows, side · side) pixels row by row, and (rows,) labels if there are any."""

    pixels: np.ndarray
    labels: np.ndarray | None


@dataclass(frozen=True)
class CsvSummary:
    """What a whole CSV held.

    Attributes:
        rows: how many digits.
        image_side: height and width of an image, in pixels.
        pixel_type: NumPy type in which the pixels are kept, such as uint8.
        class_counts: how many of each class, in the order of their labels.
    """

    rows: int
    image_side: int
    pixel_type: str
    class_counts: tuple[int, ...]


def csv_to_parquet(csv: Path, parquet: Path, csv_format: CsvFormat) -> CsvSummary:
    """Write a CSV's digits as Parquet, in the narrowest type that holds every pixel exactly.

    Bytes are tried first. Where they do not fit, one pass finds the type and another writes.

    Raises:
        DataError: a line breaks a rule, or a digit is missing altogether; nothing is written.
    """
    layout = find_layout(csv, csv_format)
    try:
        return _write(layout, parquet, csv_format, "uint8", "uint8")
    except _NotBytesError:
        pixel_type = _narrowest_type(read_batches(layout, csv_format, "float64"))
        return _write(layout, parquet, csv_format, "float64", pixel_type)


def read_images(csv: Path, csv_format: CsvFormat, image_side: int) -> Iterator[Batch]:
    """Yield a CSV's images for a network that reads images of one size, labels or none.

    Raises:
        DataError: a line breaks a rule, or the images have another size.
    """
    layout = find_layout(csv, csv_format, image_side)
    darkest = -np.inf
    for batch in read_batches(layout, csv_format, "float64"):
        yield batch
        darkest = max(darkest, float(batch.pixels.max()))
    _check_ink(layout, csv_format, darkest)


class _NotBytesError(Exception):
    """A cell is no whole number from 0 to 255, which may be right or wrong."""


def read_batches(layout: CsvLayout, csv_format: CsvFormat, cell_type: str) -> Iterator[Batch]:
    """Return a CSV's rows in order, each cell checked.

    Args:
        layout: where things are in the file.
        csv_format: what the user says about it.
        cell_type: uint8, or float64 for everything else.

    Raises:
        _NotBytesError: a cell is no uint8; only if that was asked for.
        DataError: a line breaks a rule.
    """
    return read_ahead(_read(layout, csv_format, cell_type), _AHEAD)


def _read(layout: CsvLayout, csv_format: CsvFormat, cell_type: str) -> Generator[Batch]:
    names = [str(column) for column in range(layout.columns)]
    rows = 0
    try:
        with readable(layout.path, layout.compressed) as file:
            file.seek(layout.digits_offset)
            text = pa.PythonFile(file, mode="r")
            reader = pa_csv.open_csv(
                pa.TransformInputStream(text, _no_hexadecimal) if cell_type == "uint8" else text,
                pa_csv.ReadOptions(
                    column_names=names, block_size=max(_BLOCK, _LONG_CELL * layout.columns)
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.from_numpy_dtype(cell_type)),
                    null_values=[],
                ),
            )
            for batch in reader:
                if not batch.num_rows:
                    continue
                checked = _checked(batch, layout, csv_format)
                if checked is None:
                    raise first_fault(layout, csv_format, good_rows=rows)
                rows += batch.num_rows
                yield checked
    except pa.ArrowInvalid as error:
        if cell_type == "uint8":
            raise _NotBytesError from error
        raise first_fault(layout, csv_format, good_rows=rows) from error


def _no_hexadecimal(block: pa.Buffer) -> pa.Buffer:
    # Arrow reads 0x1F as a whole number, though not as a float.
    if b"x" in (content := block.to_pybytes()) or b"X" in content:
        raise _NotBytesError
    return block


def _checked(batch: pa.RecordBatch, layout: CsvLayout, csv_format: CsvFormat) -> Batch | None:
    """Part a batch into pixels and labels; None if a cell is out of range."""
    side, labels = layout.image_side, None
    if layout.label is not None:
        cells = np.from_dlpack(batch.column(layout.label))  # to_numpy would import pandas
        if csv_format.label_ten_is_zero:
            cells = np.where(cells == 10, 0, cells)
        if not np.isin(cells, csv_format.classes).all():
            return None
        labels = cells.astype(label_type(csv_format.classes))
        batch = batch.drop_columns([batch.schema.names[layout.label]])
    pixels = batch.to_tensor(row_major=True).to_numpy()
    least, most = LEAST * csv_format.pixel_max, MOST * csv_format.pixel_max
    if not ((pixels.min() >= least) & (pixels.max() <= most)):  # false for NaN too
        return None
    if csv_format.pixel_order == "column":
        pixels = pixels.reshape(-1, side, side).swapaxes(1, 2).reshape(-1, side * side)
    return Batch(pixels, labels)


def _write(
    layout: CsvLayout, parquet: Path, csv_format: CsvFormat, cell_type: str, pixel_type: str
) -> CsvSummary:
    classes = csv_format.classes
    darkest, counts = -np.inf, np.zeros(len(classes), np.int64)
    made_by = csv_format.model_dump()
    with digit_writer(parquet, pixel_type, layout.image_side, made_by) as append:
        for batch in read_batches(layout, csv_format, cell_type):
            assert batch.labels is not None  # only a known image side lets the label be missing
            append(batch.pixels, batch.labels)
            darkest = max(darkest, float(batch.pixels.max()))
            counts += class_counts(batch.labels, classes)
        _check_ink(layout, csv_format, darkest)
        _check_classes(layout, csv_format, counts)
    rows = int(counts.sum())
    return CsvSummary(rows, layout.image_side, pixel_type, tuple(counts.tolist()))


def _narrowest_type(batches: Iterator[Batch]) -> str:
    whole = single = True
    least, most = np.inf, -np.inf
    for batch in batches:
        whole = whole and bool((batch.pixels == np.floor(batch.pixels)).all())
        single = single and bool((batch.pixels == batch.pixels.astype(np.float32)).all())
        least, most = min(least, batch.pixels.min()), max(most, batch.pixels.max())
    if whole:
        for name in ("uint8", "int16", "uint16", "int32"):
            if np.iinfo(name).min <= least and most <= np.iinfo(name).max:
                return name
    return "float32" if single else "float64"


def _check_ink(layout: CsvLayout, csv_format: CsvFormat, darkest: float) -> None:
    if csv_format.pixel_max == 255 and darkest <= _FAINT:
        raise DataError(
            f"{layout.path}: no pixel is above {darkest:g}, but full ink is 255. If the pixels are "
            "scaled to 0 … 1, give --pixel-max 1."
        )


def _check_classes(layout: CsvLayout, csv_format: CsvFormat, counts: np.ndarray) -> None:
    classes = csv_format.classes
    missing = [str(label) for label, count in zip(classes, counts, strict=True) if not count]
    if missing:
        raise DataError(
            f"{layout.path}: no image is labelled {', '.join(missing)}; each label of "
            f"{in_words(classes)} needs at least one. If there are other labels, name them with "
            "--classes; if they are in another column, give --label-column; if 10 means 0, "
            "--label-ten-is-zero."
        )
