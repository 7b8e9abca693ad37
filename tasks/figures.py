"""The figures of a run, drawn into a folder. What they show: `charts` and `contact_sheets`."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tasks.charts import confusion_chart, cost_chart
from tasks.contact_sheets import mistakes_sheet, predictions_sheet, weights_sheet
from tasks.figure_style import figure_style, save_figure


def draw_figures(
    folder: Path,
    *,
    history: pd.DataFrame,
    confusion_matrix: ArrayLike,
    predictions: pd.DataFrame,
    images: np.ndarray,
    first_layer: np.ndarray,
) -> None:
    """Draw all figures of a run; the same arguments give the same bytes.

    Args:
        folder: where predictions.png, mistakes.png and weights.png go, and the two charts, cost
            and confusion, each as .svg and as the .png that Prefect's page shows.
        history: one row an epoch: `epoch` from 1, `cost`, and where tracked `validation_cost` and
            `validation_accuracy` (0 to 1).
        confusion_matrix: (10, 10) counts, true digits in rows, predicted ones in columns.
        predictions: one row a test digit, in the order of `images`: `row`, `label`, `prediction`,
            `confidence` (0 to 1).
        images: (test rows, side, side), 1 is full ink.
        first_layer: (outputs, inputs + 1), bias in column 0.
    """
    with figure_style():
        figures = {
            "cost": cost_chart(history),
            "confusion": confusion_chart(np.asarray(confusion_matrix)),
            "predictions": predictions_sheet(predictions, images),
            "mistakes": mistakes_sheet(predictions, images),
            "weights": weights_sheet(first_layer),
        }
        for name, figure in figures.items():
            save_figure(figure, folder / f"{name}.png")
        for chart in ("cost", "confusion"):
            save_figure(figures[chart], folder / f"{chart}.svg")
