"""Digits as Parquet: a `pixels` column of small images and a `label` column.

They are read whole or a group of rows at a time. The same digits, read with the same settings, give
the same bytes: rows are written in groups of a fixed size, and nothing depends on the time.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.cache.atomic import atomic_path
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


class Append(Protocol):
    """Adds rows to a table that is being written."""

    def __call__(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        """Append (rows, side · side) pixels and (rows,) labels."""


def rows_in_group(image_side: int, pixel_type: str) -> int:
    """Return how many rows are written together: fewer of large images, so that memory is bounded.

    It follows from the images alone, as the bytes of a file follow from its rows.
    """
    row = image_side**2 * np.dtype(pixel_type).itemsize
    return max(1, min(ROWS_A_GROUP, _BYTES_A_GROUP // row))


@contextmanager
def digit_writer(
    parquet: Path, pixel_type: str, image_side: int, made_by: Mapping[str, Any]
) -> Iterator[Append]:
    """Yield a function that appends digits to a Parquet file, written whole or not at all.

    Args:
        parquet: the file to write.
        pixel_type: NumPy type of the pixels, such as uint8.
        image_side: height and width of an image.
        made_by: what the file's metadata says of its making; must have `pixel_max` and
            `classes`.
    """
    tensor = pa.fixed_shape_tensor(pa.from_numpy_dtype(pixel_type), (image_side, image_side))
    metadata = {METADATA: json.dumps({**made_by, "image_side": image_side}, sort_keys=True)}
    label = label_type(made_by["classes"])
    schema = pa.schema([("pixels", tensor), ("label", pa.from_numpy_dtype(label))], metadata)
    inputs = image_side * image_side
    size = rows_in_group(image_side, pixel_type)
    # A group of rows that is being filled.
    group, group_labels = np.empty((size, inputs), pixel_type), np.empty(size, label)
    filled = 0

    with (
        atomic_path(parquet) as new,
        # Plain pixels, which every reader knows; statistics over them would be of no use.
        pq.ParquetWriter(
            new, schema, compression="zstd", use_dictionary=["label"], write_statistics=["label"]
        ) as writer,
    ):

        def write_group() -> None:
            storage = pa.FixedSizeListArray.from_arrays(_array(group[:filled].reshape(-1)), inputs)
            images = pa.ExtensionArray.from_storage(tensor, storage)
            writer.write_batch(pa.record_batch([images, _array(group_labels[:filled])], schema))

        def append(pixels: np.ndarray, labels: np.ndarray) -> None:
            nonlocal filled
            start = 0
            while start < len(labels):
                end = min(start + size - filled, len(labels))
                part = slice(filled, filled + end - start)
                group[part], group_labels[part] = pixels[start:end], labels[start:end]
                start, filled = end, part.stop
                if filled == size:
                    write_group()
                    filled = 0

        yield append
        if filled:
            write_group()


def _array(numbers: np.ndarray) -> pa.Array:
    # `pa.array` would import pandas, which takes a second.
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def write_digits(digits: Digits, parquet: Path) -> None:
    """Write digits as Parquet, whole or not at all."""
    pixel_type = digits.pixels.dtype.name
    made_by = {"pixel_max": digits.pixel_max, "classes": digits.classes}
    with digit_writer(parquet, pixel_type, digits.image_side, made_by) as append:
        append(digits.pixels, digits.labels)


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
