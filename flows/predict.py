"""The prediction flow: labels for new digits from a trained network."""

from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.deployed_run import check_deployed_run
from flows.empty_form import STARTS_EMPTY
from flows.predict_settings import PredictSettings
from tasks.predict import Predicted, predict_files
from tasks.runs.find_run import find_run


@flow(name="predict", description="Predict the labels of new digits with a trained network.")
def predict(
    files: list[Path],
    settings: Annotated[PredictSettings, Field(json_schema_extra=STARTS_EMPTY)] = PredictSettings(),
) -> Predicted:
    """Predict the labels of the digits in tables and pictures with a run's network.

    Args:
        files: CSV and Parquet files of pixels, with or without labels, and pictures of digits.
        settings: Whose network predicts, how the files are to be read, and where the result goes.
    """
    check_deployed_run(**settings.files, **{f"files.{n}": file for n, file in enumerate(files)})
    run = find_run(settings.artifacts, settings.run)
    return predict_files(files, run, settings.data, settings.output, settings.explain)
