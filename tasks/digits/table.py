"""Digits as Parquet: a `pixels` column of small images and a `label` column.

They are read whole, a group of rows at a time, or only the rows that are asked for.
`table_writer.py` writes them.
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from tasks.digits.classes import DIGITS, label_type

ROWS_A_GROUP = 4096
_BYTES_A_GROUP = 1 << 26
_BUFFER = 1 << 20  # bytes of a column read at a time
METADATA = b"digits"


@dataclass(frozen=True)
class Digits:
    """Labelled images in memory.

    Attributes:
        pixels: (rows, side · side), row by row, in the type they are stored in.
        labels: (rows,) whole numbers, each one of the classes.
        image_side: height and width of an image.
        pixel_max: the value of full ink.
        classes: the labels there are, ascending, whether or not each occurs.
    """

    pixels: np.ndarray
    labels: np.ndarray
    image_side: int
    pixel_max: float
    classes: tuple[int, ...] = DIGITS


def rows_in_group(image_side: int, pixel_type: str) -> int:
    """Return how many rows are written together: fewer of large images, so that memory is bounded.

    It follows from the images alone, as the bytes of a file follow from its rows.
    """
    row = image_side**2 * np.dtype(pixel_type).itemsize
    return max(1, min(ROWS_A_GROUP, _BYTES_A_GROUP // row))


@dataclass(frozen=True)
class TableInfo:
    """What a file of digits holds, known without reading its images.

    Attributes:
        rows: how many digits.
        pixel_type: NumPy type of the pixels, such as uint8.
        image_side: height and width of an image.
        pixel_max: the value of full ink.
        classes: the labels there are, ascending.
    """

    rows: int
    pixel_type: str
    image_side: int
    pixel_max: float
    classes: tuple[int, ...]


def read_info(parquet: Path) -> TableInfo:
    """Return what digits that were written here are like."""
    with pq.ParquetFile(parquet) as file:
        about = json.loads(file.schema_arrow.metadata[METADATA])
        images = file.schema_arrow.field("pixels").type
        return TableInfo(
            rows=file.metadata.num_rows,
            pixel_type=np.dtype(images.value_type.to_pandas_dtype()).name,
            image_side=about["image_side"],
            pixel_max=about["pixel_max"],
            classes=tuple(about["classes"]),
        )


def read_batches(
    parquet: Path, groups: Sequence[int] | None = None
) -> Generator[tuple[np.ndarray, np.ndarray]]:
    """Yield the digits of a file that was written here, one group of rows after the other.

    Args:
        parquet: the file.
        groups: numbers of the groups to read, from 0, ascending; all of them if None.

    Yields:
        (rows, side · side) pixels as they are stored, and (rows,) labels.
    """
    info = read_info(parquet)
    # Arrow would otherwise keep all that it has read of a file, as long as the file is open.
    with pq.ParquetFile(parquet, pre_buffer=False, buffer_size=_BUFFER) as file:
        size = rows_in_group(info.image_side, info.pixel_type)
        for batch in file.iter_batches(size, groups):
            storage = batch.column("pixels").storage
            # `flatten` and `to_numpy` would import what takes a second; this copies nothing.
            pixels = np.from_dlpack(storage.values).reshape(-1, info.image_side**2)
            rows = slice(storage.offset, storage.offset + batch.num_rows)
            yield pixels[rows], np.from_dlpack(batch.column("label"))


def read_labels(parquet: Path) -> np.ndarray:
    """Return the labels of all digits, (rows,), without reading the images."""
    with pq.ParquetFile(parquet) as file:  # `pq.read_table` imports pandas
        return np.from_dlpack(file.read(["label"]).column("label").combine_chunks())


def read_digits(parquet: Path) -> Digits:
    """Read the digits of a file that was written here into memory."""
    info = read_info(parquet)
    pixels, row = np.empty((info.rows, info.image_side**2), info.pixel_type), 0
    for some, _ in read_batches(parquet):
        pixels[row : row + len(some)] = some
        row += len(some)
    labels = read_labels(parquet)
    return Digits(pixels, labels, info.image_side, info.pixel_max, info.classes)


def read_rows(parquet: Path, rows: Sequence[int]) -> Digits:
    """Read some digits of a file that was written here, in the order in which they are named.

    Only the groups of rows that hold them are read.

    Args:
        parquet: the file.
        rows: their numbers, from 0.
    """
    info = read_info(parquet)
    size = rows_in_group(info.image_side, info.pixel_type)
    wanted = np.array(rows, np.int64)
    pixels = np.empty((len(wanted), info.image_side**2), info.pixel_type)
    labels = np.empty(len(wanted), label_type(info.classes))
    groups = np.unique(wanted // size).tolist()
    for group, (some, some_labels) in zip(groups, read_batches(parquet, groups), strict=True):
        here = wanted // size == group
        pixels[here] = some[wanted[here] - group * size]
        labels[here] = some_labels[wanted[here] - group * size]
    return Digits(pixels, labels, info.image_side, info.pixel_max, info.classes)


def read_slice(parquet: Path, rows: slice) -> Digits:
    """Read digits that follow each other in a file that was written here.

    Only the groups of rows that hold them are read.

    Args:
        parquet: the file.
        rows: from its start to before its stop, both within the file.
    """
    info = read_info(parquet)
    size = rows_in_group(info.image_side, info.pixel_type)
    count = rows.stop - rows.start
    pixels = np.empty((count, info.image_side**2), info.pixel_type)
    labels = np.empty(count, label_type(info.classes))
    groups = range(rows.start // size, -(-rows.stop // size))
    for group, (some, some_labels) in zip(groups, read_batches(parquet, list(groups)), strict=True):
        first = group * size - rows.start  # of the group, counted from the first row wanted
        here = slice(max(0, first), first + len(some))
        wanted = slice(max(0, -first), count - first)
        pixels[here], labels[here] = some[wanted], some_labels[wanted]
    return Digits(pixels, labels, info.image_side, info.pixel_max, info.classes)
