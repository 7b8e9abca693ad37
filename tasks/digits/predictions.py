"""Predictions as a file, CSV or Parquet by its name, written batch by batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
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
        pa.repeat(str(file), len(every)),
        first_row + every,
        label_of[best],
        probabilities[every, best].astype(np.float32).round(6),
        label_of[second],
        others[every, second].astype(np.float32).round(6),
        pa.nulls(len(every), pa.int32())
        if true_labels is None
        else pa.array(true_labels, pa.int32()),
    ]
    return pa.record_batch(columns, names=SCHEMA.names).cast(SCHEMA)


def first_predictions(output: Path, rows: int) -> pd.DataFrame:
    """Return the first rows of a file of predictions."""
    if output.suffix == ".csv":
        table = pd.read_csv(output, nrows=rows, dtype={"true_label": "Int32"})
    else:
        with pq.ParquetFile(output) as file:
            batch = next(file.iter_batches(rows))
        table = batch.to_pandas(types_mapper={pa.int32(): pd.Int32Dtype()}.get)
    return table
