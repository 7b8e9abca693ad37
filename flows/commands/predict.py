"""`digits predict`: labels for new digits from a run's network.

It does what the flow does, by the same function, but without Prefect: a prediction at the command
line needs no server and leaves no record, and Prefect alone takes longer to import.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from flows.options import Json, out
from flows.predict_settings import PredictSettings
from tasks.digits.predictions import UNSURE, first_predictions
from tasks.predict import predict_files
from tasks.runs.find_run import find_run

SHOWN = 10  # predictions


def predict(
    *files: Annotated[
        Path, Parameter(help="CSV or Parquet files of pixels, or pictures of digits.")
    ],
    settings: Annotated[PredictSettings, Parameter(name="*")] = PredictSettings(),
    json: Json = False,
) -> None:
    """Predict the labels of new digits with a trained network and write them to a file."""
    run = find_run(settings.artifacts, settings.run)
    result = predict_files(files, run, settings.data, settings.output, settings.explain)
    if json:
        print(result.model_dump_json())
        return
    out.print(predictions_table(first_predictions(result.output, SHOWN)))
    if result.rows > SHOWN:
        out.print(f"… and {result.rows - SHOWN:,} more")
    if result.accuracy is not None:
        out.print(f"{result.accuracy:.1%} of the labelled digits predicted right")
    if result.unsure:
        out.print(
            f"{result.unsure:,} of {result.rows:,} unsure, shown as ? with the two likeliest labels"
        )
    out.print(f"Predictions: {result.output}")
    if result.explained is not None:
        out.print(f"How pictures were read: {result.explained}")


def predictions_table(predictions: Sequence[Mapping[str, Any]]) -> Table:
    """Return predictions as a table to print; unsure ones with a `?`."""
    table = Table("file", "row", "label", "confidence", "runner-up", "confidence", "true label")
    for row in predictions:
        sure = row["confidence"] >= UNSURE
        true_label = row["true_label"]
        table.add_row(
            row["file"],
            f"{row['row']}",
            f"{row['label']}" if sure else f"? {row['label']} or {row['runner_up']}",
            f"{row['confidence']:.4f}",
            f"{row['runner_up']}",
            f"{row['runner_up_confidence']:.4f}",
            "" if true_label is None else f"{true_label}",
        )
    return table
