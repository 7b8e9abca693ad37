"""The figures of a network, drawn into a folder. What they show: `charts` and `contact_sheets`.

They depend on its training and its test alone, and are stored with them; figures that show other
runs too are in `run_figures`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tasks.report.charts import confusion_chart, cost_chart
from tasks.report.contact_sheets import (
    mistakes_sheet,
    predictions_sheet,
    variants_sheet,
    weights_sheet,
)
from tasks.report.matplotlib_style import figure_style, save_figure


@dataclass(frozen=True)
class Recognition:
    """What the network predicts for each test image.

    Attributes:
        images: those to be shown, (side, side), 1 is full ink, by their place among the test
            images; see `places_shown`.
        predictions: one row a test image, in their order: `row`, `label`, `prediction`,
            `confidence` (0 to 1).
        confusion_matrix: (classes, classes) counts, true ones in rows, predicted in columns.
        classes: their labels, ascending.
    """

    images: Mapping[int, np.ndarray]
    predictions: pd.DataFrame
    confusion_matrix: np.ndarray
    classes: Sequence[int]


def draw_network(
    folder: Path,
    history: pd.DataFrame,
    test: Recognition,
    first_layer: np.ndarray,
    variants: np.ndarray | None,
) -> None:
    """Draw a network's training and its test; the same arguments give the same bytes.

    Args:
        folder: where the pictures go: all as .png, which Prefect's page shows, and the charts
            (cost, confusion) as .svg too.
        history: one row an epoch: `epoch` from 1, `cost`, and where tracked `validation_cost` and
            `validation_accuracy` (0 to 1).
        test: the test images and what the network predicts for each.
        first_layer: (outputs, inputs + 1), bias in column 0.
        variants: (1 + 16, side, side), a training image and distortions of it; None where none
            were trained on, and then there is no picture of them.
    """
    with figure_style():
        charts = {
            "cost": cost_chart(history),
            "confusion": confusion_chart(test.confusion_matrix, test.classes),
        }
        sheets = {
            "predictions": predictions_sheet(test.predictions, test.images),
            "mistakes": mistakes_sheet(test.predictions, test.images),
            "weights": weights_sheet(first_layer),
        }
        if variants is not None:
            sheets["variants"] = variants_sheet(variants[0], variants[1:])
        save_figures(folder, charts, sheets)


def save_figures(folder: Path, charts: Mapping[str, Figure], sheets: Mapping[str, Figure]) -> None:
    """Write figures by name: all as .png, and the charts as .svg too."""
    for name, figure in {**charts, **sheets}.items():
        save_figure(figure, folder / f"{name}.png")
    for name, figure in charts.items():
        figure.set_layout_engine("none")  # everything has its place now; finding it is slow
        save_figure(figure, folder / f"{name}.svg")
