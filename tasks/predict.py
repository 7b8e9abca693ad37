"""Labels predicted for new digits, from tables of pixels and from pictures, in flat memory."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.digits.batch import Batch
from tasks.digits.classes import in_words
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import read_images
from tasks.digits.file_kind import Kind, kind_of
from tasks.digits.network_inputs import labels_of
from tasks.digits.parquet_reader import read_parquet_images
from tasks.digits.predictions import UNSURE, prediction_rows, predictions_writer
from tasks.digits.read_ahead import read_ahead
from tasks.errors import InputError
from tasks.runs.folders import MANIFEST, read_json
from tasks.runs.model import SavedModel, load_model

_AHEAD = 4  # batches that are read from a table while the network works on others


class Predicted(BaseModel):
    """The outcome of a prediction; the object that `digits predict --json` prints.

    Attributes:
        rows: number of digits.
        accuracy: share of the labelled digits that were predicted right; None where there are none.
        output: the file of predictions.
        unsure: number of digits whose likeliest label is improbable, below 0.5.
        explained: the folder of figures that show how pictures were read, if one was asked for.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    accuracy: float | None
    output: Path
    unsure: int
    explained: Path | None


@dataclass(frozen=True)
class _Predictions:
    """The predictions for some successive rows of a file, or for all digits of a picture."""

    file: Path
    first_row: int  # from 1
    probabilities: np.ndarray  # (rows, classes)
    true_labels: np.ndarray | None = None  # (rows,); None where the file has none


def predict_files(
    files: Sequence[Path],
    run_folder: Path,
    given: CsvFormat,
    output: Path | None = None,
    explain_folder: Path | None = None,
) -> Predicted:
    """Predict the labels of the digits in tables and pictures with a run's network.

    Args:
        files: CSV (plain or gzip) and Parquet files of pixels, with or without labels, and
            pictures; their content decides which is which.
        run_folder: the run whose network is used.
        given: how to read tables; fields that were not set are as the run was trained.
        output: CSV or Parquet file to write, a row a digit: its file and row (from 1; in a picture
            its place in reading order), the predicted `label`, its `confidence` (0 … 1), the
            runner-up with its own, and `true_label` where known. By default a CSV named after the
            run, in `predictions` of the run's artifacts folder.
        explain_folder: where to show how each picture was read; nowhere if None.

    Raises:
        InputError: no file is named, the run can't be used, or a file can't be read (DataError).
        WeightsError: the run's weights are not a list of weight matrices.
    """
    kinds = _kinds_of(files, explain_folder)
    model = load_model(run_folder)
    table_format = _table_format(run_folder, model, given)
    output = output or run_folder.parents[1] / "predictions" / f"{run_folder.name}.csv"
    rows = labelled = right = unsure = 0
    with predictions_writer(output) as append:
        for part in _predictions(files, kinds, model, table_format, explain_folder):
            append(
                prediction_rows(
                    part.file, part.first_row, part.probabilities, part.true_labels, model.classes
                )
            )
            rows += len(part.probabilities)
            unsure += int((part.probabilities.max(axis=1) < UNSURE).sum())
            if part.true_labels is not None:
                labelled += len(part.true_labels)
                predicted = labels_of(part.probabilities, model.classes)
                right += int((predicted == part.true_labels).sum())
    return Predicted(
        rows=rows,
        accuracy=right / labelled if labelled else None,
        output=output,
        unsure=unsure,
        explained=explain_folder,
    )


def _kinds_of(files: Sequence[Path], explain_folder: Path | None) -> list[Kind]:
    """Return each file's kind; before any work, so that a wrong name is reported at once."""
    if not files:
        raise InputError(
            "no file to read. Name CSV or Parquet files of pixels, or pictures: "
            "digits predict FILE…"
        )
    kinds = [kind_of(file) for file in files]
    if explain_folder is not None and "picture" not in kinds:
        raise InputError(
            "`explain` shows how pictures are read, but no file is a picture. Leave it out."
        )
    return kinds


def _table_format(run_folder: Path, model: SavedModel, given: CsvFormat) -> CsvFormat:
    """Return how tables are read: as given, and else as the run was trained."""
    if "classes" in given.model_fields_set and given.classes != model.classes:
        raise InputError(
            f"{model.run} predicts the labels {in_words(model.classes)}, not "
            f"{in_words(given.classes)}. Leave out `classes`, or name another run with `run`."
        )
    trained_on = CsvFormat.model_validate(read_json(run_folder / MANIFEST)["settings"]["data"])
    return trained_on.model_copy(update=given.model_dump(exclude_unset=True))


def _predictions(
    files: Sequence[Path],
    kinds: Sequence[Kind],
    model: SavedModel,
    table_format: CsvFormat,
    explain_folder: Path | None,
) -> Iterator[_Predictions]:
    """Yield the predictions for all files in turn."""
    for number, (file, kind) in enumerate(zip(files, kinds, strict=True), start=1):
        if kind == "picture":
            figures = explain_folder and explain_folder / f"{number}-{file.stem}"
            yield _predict_picture(file, model, figures)
        else:
            yield from _predict_table(file, kind, model, table_format)


def _predict_picture(file: Path, model: SavedModel, figures: Path | None) -> _Predictions:
    """Return the predictions for a picture's digits; draw figures of them if asked."""
    # SciPy and Pillow, and matplotlib's fonts and colours, take longer to import than a table of
    # thousands of digits takes to predict.
    from tasks.photographs.read_photograph import read_photograph

    photograph = read_photograph(file, model)
    if figures is not None:
        from tasks.photographs.explain import explain

        explain(photograph, figures)
    return _Predictions(file, 1, photograph.probabilities)


def _predict_table(
    file: Path, kind: Kind, model: SavedModel, table_format: CsvFormat
) -> Iterator[_Predictions]:
    """Yield the predictions for a table's digits batch by batch."""
    row = 1
    for batch in read_ahead(_scaled_batches(file, kind, model, table_format), _AHEAD):
        probabilities = model.predict(batch.pixels)
        yield _Predictions(file, row, probabilities, batch.labels)
        row += len(probabilities)


def _scaled_batches(
    file: Path, kind: Kind, model: SavedModel, table_format: CsvFormat
) -> Generator[Batch]:
    """Yield a table's rows with 1 for full ink."""
    if kind == "parquet":
        yield from read_parquet_images(file, table_format, model.image_side)
        return
    dtype = model.weights[0].dtype
    for batch in read_images(file, table_format, model.image_side):
        yield Batch((batch.pixels / table_format.pixel_max).astype(dtype), batch.labels)
