"""Digits as Parquet: a `pixels` column of small images and a `label` column.

The same digits, read with the same settings, give the same bytes: rows are written in groups of a
fixed size, and nothing in the file tells the time.
"""

import json
from collections.abc import Iterator, Mapping
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
    label = pa.from_numpy_dtype(label_type(made_by["classes"]))
    schema = pa.schema([("pixels", tensor), ("label", label)], metadata)
    waiting: list[tuple[np.ndarray, np.ndarray]] = []

    with (
        atomic_path(parquet) as new,
        # Plain pixels, which every reader knows; statistics over them would tell nobody anything.
        pq.ParquetWriter(
            new, schema, compression="zstd", use_dictionary=["label"], write_statistics=["label"]
        ) as writer,
    ):

        def write(pixels: np.ndarray, labels: np.ndarray) -> None:
            flat = pa.array(np.ascontiguousarray(pixels, pixel_type).reshape(-1))
            storage = pa.FixedSizeListArray.from_arrays(flat, image_side * image_side)
            images = pa.ExtensionArray.from_storage(tensor, storage)
            batch = pa.table([images, pa.array(labels, label)], schema=schema)
            writer.write_table(batch, row_group_size=ROWS_A_GROUP)

        def append(pixels: np.ndarray, labels: np.ndarray) -> None:
            waiting.append((pixels, labels))
            if sum(len(labels) for _, labels in waiting) < ROWS_A_GROUP:
                return
            pixels, labels = (np.concatenate(parts) for parts in zip(*waiting, strict=True))
            whole = len(labels) - len(labels) % ROWS_A_GROUP
            waiting[:] = [(pixels[whole:], labels[whole:])]
            write(pixels[:whole], labels[:whole])

        yield append
        pixels, labels = (np.concatenate(parts) for parts in zip(*waiting, strict=True))
        if len(labels):
            write(pixels, labels)


def write_digits(digits: Digits, parquet: Path) -> None:
    """Write digits as Parquet, whole or not at all."""
    pixel_type = digits.pixels.dtype.name
    made_by = {"pixel_max": digits.pixel_max, "classes": digits.classes}
    with digit_writer(parquet, pixel_type, digits.image_side, made_by) as append:
        append(digits.pixels, digits.labels)


def read_digits(parquet: Path) -> Digits:
    """Read digits that were written here."""
    table = pq.read_table(parquet)
    about = json.loads(table.schema.metadata[METADATA])
    images = table.column("pixels").combine_chunks()
    side = about["image_side"]
    # The tensors lie one behind the other in the storage; taking it as it is copies nothing.
    pixels = images.storage.flatten().to_numpy().reshape(-1, side * side)
    return Digits(
        pixels=pixels,
        labels=table.column("label").to_numpy(),
        image_side=side,
        pixel_max=about["pixel_max"],
        classes=tuple(about.get("classes", DIGITS)),  # none in files of earlier versions
    )
