"""Sheets of small square pictures: predicted digits, the worst mistakes, the first layer's weights.

Every sheet is laid out in whole pixels, so that a digit's own pixels stay sharp squares.
"""

import math

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tasks.figure_style import BLUE_TO_ORANGE, HAIRLINE, INK, MUTED, ORANGE

_DPI = 100
_PITCH = 132  # pixels from one picture to the next
_MARGIN = 12
_TILE = 112  # the widest a picture is drawn, in pixels: 4 times 28; 5 times 20 fits in
_LEGEND = 56  # height of the legend above the weights, in pixels
_PREDICTIONS = 50
_MISTAKES = 20
_UNITS = 64
_WEIGHTS = 40 * 28 * 28  # no more are drawn, because noise does not compress
_PAPER = matplotlib.colormaps["gray_r"]


def predictions_sheet(predictions: pd.DataFrame, images: np.ndarray) -> Figure:
    """Show the first 50 test digits, ten to a row, each with its predicted label.

    A wrong one has a heavy frame, a cross, bold type and its true label.

    Args:
        predictions: columns `label` and `prediction`, one row a test digit.
        images: (test rows, side, side), 1 is full ink.
    """
    shown = predictions.head(_PREDICTIONS)
    places = _places(len(shown), columns=10, width=_PITCH, height=158)
    figure, ax = _sheet(10 * _PITCH, places[-1][1] + 158)
    for (left, top), image, label, prediction in zip(
        places, images, shown["label"], shown["prediction"], strict=False
    ):
        wrong = label != prediction
        _picture(ax, left, top, image, cmap=_PAPER, limits=(0, 1), framed=wrong)
        middle, below = left + _PITCH / 2, top + 142
        if wrong:
            text = f"✗ {prediction}  true {label}"
            _text(ax, middle, below, text, 20, color=ORANGE, weight="bold", align="center")
        else:
            _text(ax, middle, below, f"{prediction}", 24, align="center")
    return figure


def mistakes_sheet(predictions: pd.DataFrame, images: np.ndarray) -> Figure:
    """Show the 20 wrong predictions that the network was surest of, the surest first.

    Args:
        predictions: columns `row`, `label`, `prediction`, `confidence` (0 to 1).
        images: (test rows, side, side), 1 is full ink.
    """
    wrong = predictions.assign(place=np.arange(len(predictions)))
    wrong = wrong[wrong["label"] != wrong["prediction"]]
    surest = wrong.sort_values("confidence", ascending=False, kind="stable").head(_MISTAKES)
    if surest.empty:
        figure, ax = _sheet(10 * _PITCH, 60)
        _text(ax, 10, 40, "No test digit was mistaken.", 26)
        return figure
    places = _places(len(surest), columns=5, width=2 * _PITCH, height=140)
    figure, ax = _sheet(10 * _PITCH, places[-1][1] + 140)
    for (left, top), mistake in zip(places, surest.to_dict(orient="records"), strict=True):
        _picture(ax, left, top, images[mistake["place"]], cmap=_PAPER, limits=(0, 1))
        beside = left + _PITCH + 2
        _text(ax, beside, top + 34, f"✗ {mistake['prediction']}", 30, color=ORANGE, weight="bold")
        _text(ax, beside, top + 66, f"true {mistake['label']}", 23, weight="bold")
        _text(ax, beside, top + 94, f"{100 * mistake['confidence']:.1f} % sure", 19, color=MUTED)
        _text(ax, beside, top + 120, f"row {mistake['row']}", 19, color=MUTED)
    return figure


def weights_sheet(first_layer: np.ndarray) -> Figure:
    """Show what each unit of the first layer looks for: its weights as an image, bias left out.

    Orange weights answer to ink, blue ones to its absence, white is 0. All units share one scale,
    which ends at the 99.5 % quantile of the weights' sizes: a few outliers would pale the rest.

    Args:
        first_layer: (outputs, inputs + 1), bias in column 0; inputs is a square number.
    """
    units, inputs = len(first_layer), first_layer.shape[1] - 1
    side = math.isqrt(inputs)
    shown = min(units, _UNITS, max(10, _WEIGHTS // inputs))
    weights = first_layer[:shown, 1:].reshape(shown, side, side)
    limit = float(np.quantile(np.abs(weights), 0.995)) or 1.0
    places = _places(shown, columns=10, width=_PITCH, height=150)
    figure, ax = _sheet(10 * _PITCH, _LEGEND + places[-1][1] + 150)
    for unit, ((left, top), image) in enumerate(zip(places, weights, strict=True)):
        _picture(ax, left, _LEGEND + top, image, cmap=BLUE_TO_ORANGE, limits=(-limit, limit))
        _text(
            ax, left + _PITCH / 2, _LEGEND + top + 140, f"{unit}", 20, color=MUTED, align="center"
        )

    title = f"{units} units" if shown == units else f"The first {shown} of {units} units"
    _text(ax, 10, 32, title, 24, weight="bold")
    ramp = np.linspace(-1, 1, 255)[None, :]
    ax.imshow(ramp, cmap=BLUE_TO_ORANGE, extent=(910, 1210, 34, 12), aspect="auto")
    _text(ax, 898, 31, f"{-limit:.2g}", 22, color=MUTED, align="right")
    _text(ax, 1222, 31, f"+{limit:.2g}", 22, color=MUTED)
    return figure


def _sheet(width: int, height: int) -> tuple[Figure, Axes]:
    """Return a blank sheet whose coordinates are pixels, (0, 0) at the top left in its margin."""
    size = ((width + 2 * _MARGIN) / _DPI, (height + 2 * _MARGIN) / _DPI)
    figure = Figure(figsize=size, dpi=_DPI)
    ax = figure.add_axes((0, 0, 1, 1), autoscale_on=False)
    ax.set(xlim=(-_MARGIN, width + _MARGIN), ylim=(height + _MARGIN, -_MARGIN))
    ax.set_axis_off()
    return figure, ax


def _places(count: int, *, columns: int, width: int, height: int) -> list[tuple[int, int]]:
    """Return the top left corner, (x, y) in pixels, of each of a number of cells, row by row."""
    return [(place % columns * width, place // columns * height) for place in range(count)]


def _picture(
    ax: Axes,
    left: int,
    top: int,
    image: np.ndarray,  # (side, side)
    *,
    cmap: Colormap,
    limits: tuple[float, float],
    framed: bool = False,
) -> None:
    """Draw an image in the middle of a square of `_PITCH` pixels, in a thin or a heavy frame."""
    side = len(image)
    size = side * (_TILE // side) if side <= _TILE else _TILE  # whole pixels for each of its own
    left, top = left + (_PITCH - size) // 2, top + (_PITCH - size) // 2
    ax.imshow(
        image,
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        extent=(left, left + size, top + size, top),
        aspect="auto",
        interpolation="nearest" if side <= _TILE else "antialiased",
    )
    color, linewidth = (ORANGE, 4) if framed else (HAIRLINE, 1)
    corner = (left - 3, top - 3)
    ax.add_patch(
        Rectangle(corner, size + 6, size + 6, fill=False, color=color, linewidth=linewidth)
    )


def _text(
    ax: Axes,
    x: float,
    baseline: float,
    text: str,
    pixels: int,
    *,
    color: str = INK,
    weight: str = "normal",
    align: str = "left",
) -> None:
    """Write one line in type of a size given in pixels."""
    points = pixels * 72 / _DPI
    ax.text(x, baseline, text, fontsize=points, color=color, fontweight=weight, ha=align)
