"""New digits read by a run's network, in flat memory, written as one CSV."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from network.model import predict
from tasks.atomic import atomic_path
from tasks.csv_format import CsvFormat
from tasks.digit_csv import read_images
from tasks.errors import InputError
from tasks.run_folders import MANIFEST, read_json
from tasks.saved_model import SavedModel, load_model


class Predicted(BaseModel):
    """What came of a prediction; the object that `digits predict --json` prints."""

    model_config = ConfigDict(frozen=True)

    rows: int
    accuracy: float | None  # of the labelled rows; None where there are none
    output: Path


def predict_files(
    files: Sequence[Path], run_folder: Path, given: CsvFormat, output: Path
) -> Predicted:
    """Read the digits of CSV files with a run's network.

    Args:
        files: CSV files with or without labels, plain or gzip.
        run_folder: the run whose network is used.
        given: how to read the files; fields that were not set are as the run was trained.
        output: CSV file to write, a row a digit: its file and row (from 1), `label` as read,
            `confidence` (0 … 1), the runner-up with its own, and `true_label` where known.

    Raises:
        InputError: no file is named, the run can't be used, or a file breaks a rule (DataError).
        WeightsError: the run's weights are not a list of weight matrices.
    """
    if not files:
        raise InputError("no file to read. Name one or more CSV files: digits predict FILE…")
    model = load_model(run_folder)
    trained_on = CsvFormat.model_validate(read_json(run_folder / MANIFEST)["settings"]["data"])
    csv_format = trained_on.model_copy(update=given.model_dump(exclude_unset=True))
    rows = labelled = right = 0
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(output) as new, new.open("w", encoding="utf-8", newline="") as file:
        for table in _tables(files, model, csv_format):
            table.to_csv(file, index=False, header=rows == 0, lineterminator="\n")
            rows += len(table)
            known = table["true_label"].notna()
            labelled += int(known.sum())
            right += int((table["true_label"] == table["label"])[known].sum())
    return Predicted(rows=rows, accuracy=right / labelled if labelled else None, output=output)


def _tables(
    files: Sequence[Path], model: SavedModel, csv_format: CsvFormat
) -> Iterator[pd.DataFrame]:
    for file in files:
        first_row = 1
        for batch in read_images(file, csv_format, model.image_side):
            images = (batch.pixels / csv_format.pixel_max).astype(model.weights[0].dtype)
            probabilities = predict(model.weights, images, model.activation)
            table = _table(probabilities, batch.labels)
            table.insert(0, "file", str(file))
            table.insert(1, "row", np.arange(first_row, first_row + len(table)))
            first_row += len(table)
            yield table


def _table(probabilities: np.ndarray, labels: np.ndarray | None) -> pd.DataFrame:
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    every = np.arange(len(probabilities))
    columns: dict[str, Any] = {
        "label": ranked[:, 0],
        "confidence": probabilities[every, ranked[:, 0]].round(6),
        "runner_up": ranked[:, 1],
        "runner_up_confidence": probabilities[every, ranked[:, 1]].round(6),
        "true_label": pd.array([pd.NA] * len(every) if labels is None else labels, dtype="Int8"),
    }
    return pd.DataFrame(columns)
