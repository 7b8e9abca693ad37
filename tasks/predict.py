"""New digits read by a run's network, from tables of pixels and from pictures, in flat memory."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from network.model import predict
from tasks.digits.classes import in_words
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import Batch, read_images
from tasks.digits.file_kind import Kind, kind_of
from tasks.digits.network_inputs import labels_of
from tasks.digits.parquet_reader import read_parquet_images
from tasks.digits.predictions import UNSURE, prediction_rows, predictions_writer
from tasks.errors import InputError
from tasks.photographs.explain import explain
from tasks.photographs.read_photograph import read_photograph
from tasks.runs.folders import MANIFEST, read_json
from tasks.runs.model import SavedModel, load_model

_AHEAD = 4  # batches that are read while others are told
Told = tuple[
    np.ndarray, np.ndarray | None
]  # probabilities, (rows, classes), and true labels if known


class Predicted(BaseModel):
    """What came of a prediction; the object that `digits predict --json` prints.

    Attributes:
        rows: how many digits were read.
        accuracy: share of the labelled ones that were read right; None where there are none.
        output: the file of predictions.
        unsure: how many the network takes for no digit more probably than not.
        explained: the folder of pictures that show how photographs were read, if any was asked for.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    accuracy: float | None
    output: Path
    unsure: int
    explained: Path | None


def predict_files(
    files: Sequence[Path],
    run_folder: Path,
    given: CsvFormat,
    output: Path,
    explain_folder: Path | None = None,
) -> Predicted:
    """Read the digits of tables and pictures with a run's network.

    Args:
        files: CSV (plain or gzip) and Parquet files of pixels, with or without labels, and
            pictures; which is which is told by their content.
        run_folder: the run whose network is used.
        given: how to read tables; fields that were not set are as the run was trained.
        output: CSV or Parquet file to write, a row a digit: its file and row (from 1; in a picture
            its place in reading order), `label` as read, `confidence` (0 … 1), the runner-up with
            its own, and `true_label` where known.
        explain_folder: where to show how each picture was read; nowhere if None.

    Raises:
        InputError: no file is named, the run can't be used, or a file can't be read (DataError).
        WeightsError: the run's weights are not a list of weight matrices.
    """
    if not files:
        raise InputError(
            "no file to read. Name CSV or Parquet files of pixels, or pictures: "
            "digits predict FILE…"
        )
    kinds = [kind_of(file) for file in files]  # before any work, so that a typo is told at once
    if explain_folder is not None and "picture" not in kinds:
        raise InputError("--explain shows how pictures are read, but no file is a picture.")
    model = load_model(run_folder)
    trained_on = CsvFormat.model_validate(read_json(run_folder / MANIFEST)["settings"]["data"])
    if "classes" in given.model_fields_set and given.classes != model.classes:
        raise InputError(
            f"{model.run} reads the labels {in_words(model.classes)}, not "
            f"{in_words(given.classes)}. Leave out --classes, or name another run with --run."
        )
    data = trained_on.model_copy(update=given.model_dump(exclude_unset=True))
    rows = labelled = right = unsure = 0
    with predictions_writer(output) as append:
        for number, (file, kind) in enumerate(zip(files, kinds, strict=True), start=1):
            first_row = 1
            if kind == "picture":
                shown = explain_folder and explain_folder / f"{number}-{file.stem}"
                told = _told_of_picture(file, model, shown)
            else:
                told = _told_of_table(file, kind, model, data)
            for probabilities, true_labels in told:
                append(prediction_rows(file, first_row, probabilities, true_labels, model.classes))
                first_row += len(probabilities)
                unsure += int((probabilities.max(axis=1) < UNSURE).sum())
                if true_labels is not None:
                    labelled += len(true_labels)
                    predicted = labels_of(probabilities, model.classes)
                    right += int((predicted == true_labels).sum())
            rows += first_row - 1
    return Predicted(
        rows=rows,
        accuracy=right / labelled if labelled else None,
        output=output,
        unsure=unsure,
        explained=explain_folder,
    )


def _told_of_picture(file: Path, model: SavedModel, shown: Path | None) -> Iterator[Told]:
    """Yield the probabilities of a picture's digits at once; show them in a folder if asked."""
    photograph = read_photograph(file, model)
    if shown is not None:
        explain(photograph, shown)
    yield photograph.probabilities, None


def _told_of_table(file: Path, kind: Kind, model: SavedModel, data: CsvFormat) -> Iterator[Told]:
    """Yield the probabilities of a table's digits and their labels; reads ahead while it tells."""
    with (
        closing(_scaled(file, kind, model, data)) as batches,
        ThreadPoolExecutor(1) as reader,
    ):
        coming = deque(reader.submit(next, batches, None) for _ in range(_AHEAD))
        while (batch := coming.popleft().result()) is not None:
            coming.append(reader.submit(next, batches, None))
            yield predict(model.weights, batch.pixels, model.activation), batch.labels


def _scaled(file: Path, kind: Kind, model: SavedModel, data: CsvFormat) -> Generator[Batch]:
    """Yield a table's rows with 1 for full ink."""
    if kind == "parquet":
        yield from read_parquet_images(file, data, model.image_side)
        return
    dtype = model.weights[0].dtype
    for batch in read_images(file, data, model.image_side):
        yield Batch((batch.pixels / data.pixel_max).astype(dtype), batch.labels)
