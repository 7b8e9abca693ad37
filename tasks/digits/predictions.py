"""Predictions as a file, CSV or Parquet by its name, written batch by batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tasks.cache.atomic import atomic_path
from tasks.errors import InputError

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("label", pa.int32()),
        ("confidence", pa.float32()),
        ("runner_up", pa.int32()),
        ("runner_up_confidence", pa.float32()),
        ("true_label", pa.int32()),
    ]
)
UNSURE = 0.5  # a digit less probable is shown as unsure: the network says no to all of them


@contextmanager
def predictions_writer(output: Path) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Yield a function that appends predictions to a file, written whole or not at all.

    Raises:
        InputError: the file's name ends neither in .csv nor in .parquet.
    """
    if output.suffix not in (".csv", ".parquet"):
        raise InputError(f"{output}: predictions are written as .csv or .parquet. Rename it.")
    with atomic_path(output) as new:
        if output.suffix == ".parquet":
            with pq.ParquetWriter(new, SCHEMA, compression="zstd") as table:
                yield table.write_batch
        else:
            unquoted = pa_csv.WriteOptions(quoting_header="none")
            with pa_csv.CSVWriter(new, SCHEMA, write_options=unquoted) as text:
                yield text.write_batch


def prediction_rows(
    file: Path,
    first_row: int,
    probabilities: np.ndarray,
    true_labels: np.ndarray | None,
    classes: Sequence[int],
) -> pa.RecordBatch:
    """Return the rows of a prediction, a digit each.

    Args:
        file: where the digits came from.
        first_row: number in it, from 1, of the first of them.
        probabilities: (rows, classes) how probable each label is.
        true_labels: (rows,) what they are, if that is known.
        classes: the label of each of the network's outputs.
    """
    label_of = np.array(classes, np.int32)
    every = np.arange(len(probabilities))
    best = probabilities.argmax(axis=1)
    others = probabilities.copy()
    others[every, best] = -1
    second = others.argmax(axis=1)
    columns = [
        _repeated(str(file), len(every)),
        _array(first_row + every, np.int64),
        _array(label_of[best], np.int32),
        _array(probabilities[every, best].astype(np.float32).round(6), np.float32),
        _array(label_of[second], np.int32),
        _array(others[every, second].astype(np.float32).round(6), np.float32),
        pa.nulls(len(every), pa.int32()) if true_labels is None else _array(true_labels, np.int32),
    ]
    return pa.record_batch(columns, schema=SCHEMA)


# `pa.array` and `pa.repeat` import pandas, which takes longer than predicting 5,000 digits.


def _array(values: np.ndarray, number_type: type[np.generic]) -> pa.Array:
    numbers = pa.py_buffer(np.ascontiguousarray(values, number_type))
    return pa.Array.from_buffers(pa.from_numpy_dtype(number_type), len(values), [None, numbers])


def _repeated(text: str, times: int) -> pa.Array:
    content = text.encode(errors="backslashreplace")  # a file's name need not be UTF-8
    offsets = np.arange(times + 1, dtype=np.int32) * len(content)
    return pa.StringArray.from_buffers(times, pa.py_buffer(offsets), pa.py_buffer(content * times))


def first_predictions(output: Path, rows: int) -> list[dict[str, Any]]:
    """Return the first rows of a file of predictions, by column name; None for no value."""
    if output.suffix == ".parquet":
        with pq.ParquetFile(output) as table:
            first = next(table.iter_batches(rows))
    else:
        typed = pa_csv.ConvertOptions(column_types=SCHEMA)
        with pa_csv.open_csv(output, convert_options=typed) as text:
            first = text.read_next_batch()
    dictionaries: list[dict[str, Any]] = first.slice(length=rows).to_pylist()
    return dictionaries
