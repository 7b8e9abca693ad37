"""What a Parquet file of images looks like: where its pixels and its labels are."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tasks.digits.csv_format import LABEL_NAMES, CsvFormat
from tasks.digits.table import METADATA
from tasks.errors import DataError

_PANDAS_INDEX = "__index_level_"  # pandas' name for an index that it kept as a column


@dataclass(frozen=True)
class ParquetLayout:
    """Where things are in a Parquet file, and what they mean.

    Attributes:
        path: the file.
        image_side: height and width of an image.
        pixels: the columns of pixels, or the one that holds whole images.
        label: the column of labels, or None where there is none.
        data: what is said about pixels and labels, by the file itself if it knows.
    """

    path: Path
    image_side: int
    pixels: tuple[str, ...]
    label: str | None
    data: CsvFormat


def find_parquet_layout(
    path: Path, schema: pa.Schema, data: CsvFormat, image_side: int
) -> ParquetLayout:
    """Look at a Parquet file's columns.

    Args:
        path: the file.
        schema: its columns.
        data: what is said about pixels and labels; a file that ingest wrote knows better itself.
        image_side: height and width that its images must have.

    Raises:
        DataError: its columns can't be such images.
    """
    names = [name for name in schema.names if not name.startswith(_PANDAS_INDEX)]
    if len(set(names)) < len(names):
        name = Counter(names).most_common(1)[0][0]
        raise DataError(f"{path}: two columns are called {name!r}. Give each its own name.")
    if METADATA in (schema.metadata or {}):
        return _as_ingested(path, schema, data, image_side)
    whole = [name for name in names if not is_number(schema.field(name).type)]
    if len(whole) == 1 and len(names) <= 2 and holds_lists(schema.field(whole[0]).type):
        label = next((name for name in names if name not in whole), None)
        pixels = tuple(whole)
    else:
        label = _label(path, names, data.label_column, image_side)
        pixels = tuple(name for name in names if name != label)
        if wrong := [name for name in (*pixels, *filter(None, [label])) if name in whole]:
            kind = schema.field(wrong[0]).type
            what = "label" if wrong[0] == label else "pixel"
            raise DataError(f"{path}: column {wrong[0]!r} holds {kind}. A {what} must be a number.")
    return ParquetLayout(path, image_side, pixels, label, data)


def _as_ingested(path: Path, schema: pa.Schema, data: CsvFormat, image_side: int) -> ParquetLayout:
    """Return the layout of a file that says it was written by ingest."""
    try:
        pixels, label = schema.field("pixels").type, schema.field("label").type
        about = json.loads(schema.metadata[METADATA])
        side = int(about["image_side"])
        pixel_max = CsvFormat(pixel_max=about["pixel_max"]).pixel_max
        if not (holds_lists(pixels) and is_number(label)):
            raise TypeError(f"columns of {pixels} and {label}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path}: its metadata say that ingest wrote it, but they or its columns are damaged "
            f"({type(error).__name__}). Write it again."
        ) from error
    if side != image_side:
        raise DataError(
            f"{path}: images of {side} × {side} pixels, but the network reads {image_side} × "
            f"{image_side}. Use a run that was trained on images of {side} × {side}."
        )
    known = {"pixel_max": pixel_max, "pixel_order": "row", "label_ten_is_zero": False}
    return ParquetLayout(path, side, ("pixels",), "label", data.model_copy(update=known))


def _label(path: Path, names: list[str], label_column: str, image_side: int) -> str | None:
    """Return the column that is said to hold labels, or is called so, or is first or last."""
    inputs = image_side**2
    if len(names) == inputs:
        return None
    if len(names) != inputs + 1:
        raise DataError(
            f"{path}: {len(names)} columns, but the network reads {image_side} × {image_side} "
            f"pixels. Give {inputs} columns of pixels or one of lists of {inputs} pixels, with or "
            "without a label."
        )
    if label_column in names:
        return label_column
    if label_column not in ("first", "last"):
        raise DataError(
            f"{path}: no column is called {label_column!r}; the last is {names[-1]!r}. "
            "Set `label_column` to last, first, or a column's name."
        )
    # A name is surer than a place: labels taken from a column of pixels would be nonsense.
    called = [name for name in names if name.lower() in LABEL_NAMES]
    return called[0] if len(called) == 1 else names[0 if label_column == "first" else -1]


def holds_lists(kind: pa.DataType) -> bool:
    """Return whether each value of a column is a list of numbers, plain or as a tensor."""
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests) and is_number(kind.value_type)


def is_number(kind: pa.DataType) -> bool:
    """Return whether a column holds whole numbers or floats."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
