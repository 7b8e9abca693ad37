"""The figures of a run, drawn into a folder.

What they show: `accuracy_chart`, `charts`, `data_chart` and `contact_sheets`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tasks.accuracy_chart import accuracy_chart
from tasks.charts import confusion_chart, cost_chart
from tasks.contact_sheets import mistakes_sheet, predictions_sheet, variants_sheet, weights_sheet
from tasks.data_chart import data_chart
from tasks.data_profile import Profile
from tasks.figure_style import figure_style, save_figure
from tasks.past_runs import PastRun


def draw_figures(
    folder: Path,
    *,
    history: pd.DataFrame,
    confusion_matrix: ArrayLike,
    predictions: pd.DataFrame,
    images: np.ndarray,
    first_layer: np.ndarray,
    runs: Sequence[PastRun],
    champion: str | None,
    profile: Profile,
    before: Profile | None,
    variants: np.ndarray | None,
) -> None:
    """Draw all figures of a run; the same arguments give the same bytes.

    Args:
        folder: where the pictures go: all as .png, which Prefect's page shows, and the charts
            (accuracy, cost, confusion, data) as .svg too.
        history: one row an epoch: `epoch` from 1, `cost`, and where tracked `validation_cost` and
            `validation_accuracy` (0 to 1).
        confusion_matrix: (10, 10) counts, true digits in rows, predicted ones in columns.
        predictions: one row a test digit, in the order of `images`: `row`, `label`, `prediction`,
            `confidence` (0 to 1).
        images: (test rows, side, side), 1 is full ink.
        first_layer: (outputs, inputs + 1), bias in column 0.
        runs: the runs before this one and, last, this one.
        champion: the run in use before it.
        profile: of the data.
        before: of the champion's data.
        variants: (1 + 16, side, side), a training image and distortions of it; None where none
            were trained on, and then there is no picture of them.
    """
    with figure_style():
        charts = {
            "accuracy": accuracy_chart(runs, champion),
            "cost": cost_chart(history),
            "confusion": confusion_chart(np.asarray(confusion_matrix)),
            "data": data_chart(profile, before),
        }
        sheets = {
            "predictions": predictions_sheet(predictions, images),
            "mistakes": mistakes_sheet(predictions, images),
            "weights": weights_sheet(first_layer),
        }
        if variants is not None:
            sheets["variants"] = variants_sheet(variants[0], variants[1:])
        for name, figure in (charts | sheets).items():
            save_figure(figure, folder / f"{name}.png")
        for name, figure in charts.items():
            figure.set_layout_engine("none")  # everything has its place now; finding it is slow
            save_figure(figure, folder / f"{name}.svg")
