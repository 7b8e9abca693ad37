"""The prediction flow: new digits, read by a trained network."""

from pathlib import Path

from prefect import flow

from flows.settings import PredictSettings
from tasks.predict import Predicted, predict_files
from tasks.runs.folders import find_run


@flow(name="predict", description="Read new digits with a trained network.")
def predict(files: list[Path], settings: PredictSettings = PredictSettings()) -> Predicted:
    """Read tables and pictures of digits with a run's network and write what each one is.

    Args:
        files: CSV and Parquet files of pixels, with or without labels, and pictures of digits.
        settings: Whose network reads them, how they are to be read, and where the result goes.
    """
    run = find_run(settings.artifacts, settings.run)
    output = settings.output or settings.artifacts / "predictions" / f"{run.name}.csv"
    return predict_files(files, run, settings.data, output, settings.explain)
