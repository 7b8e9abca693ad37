"""Writing digits as Parquet, a few rows at a time and whole or not at all.

The same digits, read with the same settings, give the same bytes: rows are written in groups of a
fixed size, and nothing depends on the time.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.cache.atomic import atomic_path
from tasks.digits.classes import label_type
from tasks.digits.table import METADATA, TableInfo, rows_in_group


class Append(Protocol):
    """Adds rows to a table that is being written."""

    def __call__(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        """Append (rows, side · side) pixels and (rows,) labels."""


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


def part_writer(parquet: Path, whole: TableInfo) -> AbstractContextManager[Append]:
    """Write some of the digits of a file that was written here, as `digit_writer` does.

    Args:
        parquet: the file to write.
        whole: what the digits of the other file are like.
    """
    made_by = {"pixel_max": whole.pixel_max, "classes": whole.classes}
    return digit_writer(parquet, whole.pixel_type, whole.image_side, made_by)


def _array(numbers: np.ndarray) -> pa.Array:
    # `pa.array` would import pandas, which takes a second.
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])
