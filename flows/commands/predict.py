"""`digits predict`: new digits, read by a run's network."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.options import Json, out
from flows.server.environment import configure_prefect
from flows.settings import PredictSettings
from flows.tables import predictions_on_terminal


def predict(
    *files: Annotated[
        Path, Parameter(help="CSV or Parquet files of pixels, or pictures of digits.")
    ],
    settings: Annotated[PredictSettings, Parameter(name="*")] = PredictSettings(),
    json: Json = False,
) -> None:
    """Read new digits with a trained network and write down what each one is."""
    configure_prefect()
    from flows.predict import predict as predict_flow

    # The flow's own function: a prediction at the command line needs no server and no record.
    result = predict_flow.fn(list(files), settings)
    if json:
        print(result.model_dump_json())
        return
    out.print(predictions_on_terminal(result.output, result.rows))
    if result.accuracy is not None:
        out.print(f"{result.accuracy:.1%} of the labelled digits read right")
    if result.unsure:
        out.print(f"{result.unsure:,} of {result.rows:,} unsure (?); the two best guesses are told")
    out.print(f"Predictions: {result.output}")
    if result.explained is not None:
        out.print(f"How pictures were read: {result.explained}")
