"""Sheets of small square pictures: predictions, the worst mistakes, distortions, weights."""

import math
from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tasks.report.figure_style import MUTED, ORANGE
from tasks.report.matplotlib_style import BLUE_TO_ORANGE
from tasks.report.sheet import PITCH, draw, grid, sheet, write

_LEGEND = 56  # height of the legend above the weights, in pixels
_PREDICTIONS = 50
_MISTAKES = 20
_NEURONS = 64
_WEIGHTS = 40 * 20 * 20  # no more are drawn, because noise does not compress
_PAPER = matplotlib.colormaps["gray_r"]
_LARGE = 2  # how many times as wide as a variant the image it is made from is drawn


def places_shown(predictions: pd.DataFrame) -> list[int]:
    """Return which test images the sheets of predictions and mistakes show, by place from 0.

    Args:
        predictions: as for both sheets.
    """
    first = range(min(len(predictions), _PREDICTIONS))
    return sorted({*first, *_surest_mistakes(predictions)["place"].tolist()})


def predictions_sheet(predictions: pd.DataFrame, images: Mapping[int, np.ndarray]) -> Figure:
    """Show the first 50 test digits, ten to a row, each with its predicted label.

    A wrong one has a heavy frame, a cross, bold type and its true label.

    Args:
        predictions: columns `label` and `prediction`, one row a test digit.
        images: (side, side), 1 is full ink, by place; see `places_shown`.
    """
    shown = predictions.head(_PREDICTIONS)
    places = grid(len(shown), columns=10, width=PITCH, height=158)
    figure, ax = sheet(10 * PITCH, places[-1][1] + 158)
    for number, ((left, top), label, prediction) in enumerate(
        zip(places, shown["label"], shown["prediction"], strict=True)
    ):
        wrong = label != prediction
        draw(ax, (left, top), images[number], cmap=_PAPER, limits=(0, 1), framed=wrong)
        middle, below = left + PITCH / 2, top + 142
        if wrong:
            text = f"✗ {prediction}  true {label}"
            write(ax, (middle, below), text, 20, color=ORANGE, weight="bold", align="center")
        else:
            write(ax, (middle, below), f"{prediction}", 24, align="center")
    return figure


def _surest_mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the wrong predictions to be shown, with the `place` of each among all."""
    wrong = predictions.assign(place=np.arange(len(predictions)))
    wrong = wrong[wrong["label"] != wrong["prediction"]]
    return wrong.sort_values("confidence", ascending=False, kind="stable").head(_MISTAKES)


def mistakes_sheet(predictions: pd.DataFrame, images: Mapping[int, np.ndarray]) -> Figure:
    """Show the 20 wrong predictions that the network was surest of, the surest first.

    Args:
        predictions: columns `row`, `label`, `prediction`, `confidence` (0 to 1).
        images: (side, side), 1 is full ink, by place; see `places_shown`.
    """
    surest = _surest_mistakes(predictions)
    if surest.empty:
        figure, ax = sheet(10 * PITCH, 60)
        write(ax, (10, 40), "All test images were recognised.", 26)
        return figure
    places = grid(len(surest), columns=5, width=2 * PITCH, height=140)
    figure, ax = sheet(10 * PITCH, places[-1][1] + 140)
    for (left, top), mistake in zip(places, surest.to_dict(orient="records"), strict=True):
        draw(ax, (left, top), images[mistake["place"]], cmap=_PAPER, limits=(0, 1))
        right = left + PITCH + 2
        write(ax, (right, top + 34), f"✗ {mistake['prediction']}", 30, color=ORANGE, weight="bold")
        write(ax, (right, top + 66), f"true {mistake['label']}", 23, weight="bold")
        write(ax, (right, top + 94), f"{100 * mistake['confidence']:.1f} % sure", 19, color=MUTED)
        write(ax, (right, top + 120), f"row {mistake['row']}", 19, color=MUTED)
    return figure


def variants_sheet(image: np.ndarray, variants: np.ndarray) -> Figure:
    """Show one training digit, large, and next to it how the network saw it in some epochs.

    Args:
        image: (side, side), 1 is full ink.
        variants: (16, side, side).
    """
    figure, ax = sheet(10 * PITCH, _LARGE * PITCH)
    draw(ax, (0, 0), image, cmap=_PAPER, limits=(0, 1), times=_LARGE)
    for (left, top), variant in zip(
        grid(len(variants), columns=8, width=PITCH, height=PITCH), variants, strict=True
    ):
        draw(ax, (_LARGE * PITCH + left, top), variant, cmap=_PAPER, limits=(0, 1))
    return figure


def weights_sheet(first_layer: np.ndarray) -> Figure:
    """Show what each neuron of the first layer looks for: its weights as an image, bias left out.

    Orange weights answer to ink, blue ones to its absence, white is 0. All neurons share one scale,
    which ends at the 99.5 % quantile of the weights' sizes: a few outliers would pale the rest.

    Args:
        first_layer: (outputs, inputs + 1), bias in column 0; inputs is a square number.
    """
    neurons, inputs = len(first_layer), first_layer.shape[1] - 1
    side = math.isqrt(inputs)
    shown = min(neurons, _NEURONS, max(10, _WEIGHTS // inputs))
    # From all over the layer, and so from all kernels.
    numbers = np.arange(shown) * neurons // shown
    weights = first_layer[numbers, 1:].reshape(shown, side, side)
    limit = float(np.quantile(np.abs(weights), 0.995)) or 1.0
    places = grid(shown, columns=10, width=PITCH, height=150)
    figure, ax = sheet(10 * PITCH, _LEGEND + places[-1][1] + 150)
    for neuron, (left, top), image in zip(numbers, places, weights, strict=True):
        draw(ax, (left, _LEGEND + top), image, cmap=BLUE_TO_ORANGE, limits=(-limit, limit))
        middle, below = left + PITCH / 2, _LEGEND + top + 140
        write(ax, (middle, below), f"{neuron}", 20, color=MUTED, align="center")
    title = f"{shown} neurons" if shown == neurons else f"{shown} of {neurons:,} neurons"
    write(ax, (10, 32), title, 24, weight="bold")
    ramp = np.linspace(-1, 1, 255)[None, :]
    ax.imshow(ramp, cmap=BLUE_TO_ORANGE, extent=(910, 1210, 34, 12), aspect="auto")
    write(ax, (898, 31), f"{-limit:.2g}", 22, color=MUTED, align="right")
    write(ax, (1222, 31), f"+{limit:.2g}", 22, color=MUTED)
    return figure
