"""Digits out of a Parquet file in flat memory: one that ingest wrote, or a table of pixels."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.digits.batch import Batch, as_labels, in_range, refuse_faint, row_by_row
from tasks.digits.classes import in_words
from tasks.digits.csv_format import CsvFormat
from tasks.digits.parquet_layout import ParquetLayout, find_parquet_layout, holds_lists
from tasks.errors import DataError, shown

_ROWS = 8192  # at a time
_BUFFER = 1 << 20  # bytes of a column at a time
_MOST_FOOTER = 1 << 24  # bytes


def read_parquet_images(path: Path, data: CsvFormat, image_side: int) -> Iterator[Batch]:
    """Yield the images of a Parquet file, each pixel as a share of full ink, and labels if any.

    Args:
        path: the file.
        data: what is said about pixels and labels; a file that ingest wrote knows better itself.
        image_side: height and width that its images must have.

    Raises:
        DataError: it is no whole Parquet file, its images have another size, or a value is missing
            or out of range.
    """
    rows, darkest = 0, -np.inf
    _refuse_large_footer(path)
    try:
        # Arrow would otherwise keep all that it has read of a file, as long as the file is open.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            layout = find_parquet_layout(path, file.schema_arrow, data, image_side)
            _refuse_other_lists(file, layout)
            columns = [*layout.pixels, *([layout.label] if layout.label is not None else [])]
            for batch in file.iter_batches(_ROWS, columns=columns):
                if batch.num_rows:
                    pixels = _pixels(batch, layout, rows)
                    darkest = max(darkest, float(pixels.max()))
                    yield Batch(_shares(pixels, layout), _labels(batch, layout, rows))
                    rows += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{path}: the Parquet file is cut off or damaged ({reason}). Fetch it again."
        ) from error
    if not rows:
        raise DataError(f"{path}: no rows. Expected is one image a row.")
    refuse_faint(path, darkest, layout.data.pixel_max)


def _refuse_large_footer(path: Path) -> None:
    """Refuse a file whose footer Arrow would read into memory, however large it is said to be."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 8))
        footer, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    if magic == b"PAR1" and _MOST_FOOTER < footer < size:
        raise DataError(
            f"{path}: a footer of {footer >> 20} MB, of which {_MOST_FOOTER >> 20} MB are the most "
            "a Parquet file may have. Write it with fewer columns or larger groups of rows."
        )


def _refuse_other_lists(file: pq.ParquetFile, layout: ParquetLayout) -> None:
    """Refuse lists that can't all be images before any is loaded: a single one may fill memory."""
    name, inputs = layout.pixels[0], layout.image_side**2
    if not holds_lists(kind := file.schema_arrow.field(name).type):
        return
    paths = [file.metadata.schema.column(at).path for at in range(file.metadata.num_columns)]
    values = next(at for at, path in enumerate(paths) if path.startswith(f"{name}."))
    # Looking at a damaged column's metadata ends the process; scanning it first is an error.
    file.scan_contents([paths[values]], _ROWS)
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        if group.column(values).num_values != inputs * group.num_rows:
            raise _not_images(layout, kind)


def _not_images(layout: ParquetLayout, kind: pa.DataType) -> DataError:
    side = layout.image_side
    return DataError(
        f"{layout.path}: column {layout.pixels[0]!r} holds {kind}. Each of its lists must be the "
        f"{side**2} pixels of an image, {side} × {side}, all of them numbers."
    )


def _pixels(batch: pa.RecordBatch, layout: ParquetLayout, rows: int) -> np.ndarray:
    """Return (rows, side · side) pixels as they are in the file, each in range."""
    for name in layout.pixels:
        _refuse_missing(batch, name, layout, rows)
    if holds_lists(batch.schema.field(layout.pixels[0]).type):
        pixels = _listed(batch.column(layout.pixels[0]), layout)
    else:
        pixels = np.stack([_numbers(batch.column(name)) for name in layout.pixels], axis=1)
    pixel_max = layout.data.pixel_max
    if not (fits := in_range(pixels, pixel_max)).all():
        row, pixel = np.argwhere(~fits)[0]
        value = shown(f"{pixels[row, pixel]:g}")
        raise DataError(
            f"{layout.path}: row {rows + row + 1}: pixel {pixel + 1} is {value}. "
            f"Allowed is 0 to {pixel_max:g}; set `pixel_max` if full ink has another value."
        )
    return pixels


def _listed(column: pa.Array, layout: ParquetLayout) -> np.ndarray:
    column = column.storage if isinstance(column, pa.ExtensionArray) else column
    inputs = layout.image_side**2
    lengths = column.value_lengths().unique().to_pylist()
    flat = column.flatten()
    if lengths != [inputs] or flat.null_count:
        raise _not_images(layout, column.type)
    return _numbers(flat).reshape(-1, inputs)


def _numbers(column: pa.Array) -> np.ndarray:
    numbers: np.ndarray = np.from_dlpack(column)  # `to_numpy` imports pandas, which takes a second
    return numbers


def _shares(pixels: np.ndarray, layout: ParquetLayout) -> np.ndarray:
    """Return pixels as shares of full ink, row by row of the image."""
    shares: np.ndarray = np.multiply(
        row_by_row(pixels, layout.data), 1 / layout.data.pixel_max, dtype=np.float32
    )
    return shares


def _labels(batch: pa.RecordBatch, layout: ParquetLayout, rows: int) -> np.ndarray | None:
    if layout.label is None:
        return None
    _refuse_missing(batch, layout.label, layout, rows)
    cells = _numbers(batch.column(layout.label))
    labels, wrong = as_labels(cells, layout.data)
    if wrong.any():
        row = int(wrong.argmax())
        label = shown(str(cells[row]))
        raise DataError(
            f"{layout.path}: row {rows + row + 1}: column {layout.label!r}: label {label}. "
            f"Allowed are {in_words(layout.data.classes)}; set `label_column` if the labels are in "
            "another column."
        )
    return labels


def _refuse_missing(batch: pa.RecordBatch, name: str, layout: ParquetLayout, rows: int) -> None:
    column = batch.column(name)
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise DataError(
            f"{layout.path}: row {rows + row + 1}: column {name!r} has no value. Each image needs "
            "all its pixels and, where there are labels, its own."
        )
