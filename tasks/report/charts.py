"""The two charts of a run: its cost by epoch and its confusion matrix.

Pictures of digits and weights are in `contact_sheets`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter

from tasks.report.figure_style import BLUE, HAIRLINE, INK, MUTED, NUMBERED, ORANGE, is_dark
from tasks.report.matplotlib_style import BLUES, ORANGES

_LOG_SPAN = 3  # below this ratio of largest to smallest a logarithmic axis has too few ticks
_CELL = 0.42  # inches, the least width of a cell of the confusion matrix that holds a number
_LARGEST = 13  # inches, of a confusion matrix
_MARKED = 25  # labels at most on an axis of such a chart
_DOTTED = 20  # classes; with more, an empty cell is left empty
_LINES: dict[str, dict[str, Any]] = {
    "training": {"color": BLUE, "linestyle": "-"},
    "validation": {"color": ORANGE, "linestyle": (0, (4, 1.5))},
}


def cost_chart(history: pd.DataFrame) -> Figure:
    """Draw the cost of every epoch, on a logarithmic scale where it falls far.

    Args:
        history: columns `epoch` and `cost`, one row an epoch; where present, `validation_cost` is
            drawn next to the cost and `validation_accuracy` (0 to 1) below it.
    """
    accuracy = "validation_accuracy" in history
    figure = Figure(figsize=(5.6, 5.2 if accuracy else 3.3), layout="constrained")
    axes: list[Axes] = list(figure.subplots(2 if accuracy else 1, sharex=True, squeeze=False)[:, 0])
    last_epoch = history["epoch"].iloc[-1]

    ax = axes[0]
    costs = history[["cost"]].rename(columns={"cost": "training"})
    if "validation_cost" in history:
        costs["validation"] = history["validation_cost"]
    for name, cost in costs.items():
        ax.plot(history["epoch"], cost, label=name, linewidth=2, **_LINES[str(name)])
    ends = costs.iloc[-1].sort_values()
    for place, (name, cost) in enumerate(ends.items()):
        # Two ends may be close together: the higher one's number moves up, the lower one's down.
        shift = 7 * (2 * place - len(ends) + 1)
        _end(ax, last_epoch, cost, f"{cost:.3g}", _LINES[str(name)]["color"], shift)
    if len(ends) > 1:
        ax.legend(frameon=False, labelcolor="linecolor", loc="upper right")
    low, high = float(costs.to_numpy().min()), float(costs.to_numpy().max())
    logarithmic = low > 0 and high >= _LOG_SPAN * low
    ax.set_title("Cost, logarithmic scale" if logarithmic else "Cost")
    if logarithmic:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter("{x:g}")

    if accuracy:
        shares = history["validation_accuracy"]
        axes[1].plot(history["epoch"], shares, linewidth=2, **_LINES["validation"])
        _end(axes[1], last_epoch, shares.iloc[-1], f"{100 * shares.iloc[-1]:.1f} %", ORANGE)
        axes[1].yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None, symbol=" %"))
        axes[1].set_title("Accuracy on the validation digits")

    for ax in axes:
        ax.grid(axis="y", linewidth=0.8)
        ax.tick_params(length=0)
        ax.spines["left"].set_visible(False)
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _end(ax: Axes, epoch: int, value: float, text: str, color: str, shift: int = 0) -> None:
    """Mark the end of a line with a dot and, next to it, its last value."""
    ax.plot(epoch, value, "o", color=color, markersize=6, clip_on=False)
    ax.annotate(
        text,
        (epoch, value),
        xytext=(9, shift),
        textcoords="offset points",
        color=color,
        fontweight="bold",
        verticalalignment="center",
        annotation_clip=False,
    )


def confusion_chart(confusion_matrix: np.ndarray, classes: Sequence[int]) -> Figure:
    """Draw a confusion matrix: true classes in rows, predicted ones in columns.

    Blue is the share of a class recognised. Orange is the share predicted as another one, on a
    scale of its own that ends at 10 % or at the worst confusion: on the same scale as the blue, a
    good network's mistakes would be invisible. Up to 30 classes the counts stand in the cells.

    Args:
        confusion_matrix: (classes, classes) counts.
        classes: their labels, ascending.
    """
    counts = np.asarray(confusion_matrix)
    number = len(classes)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(number, dtype=bool)
    worst = max(share[~right].max(), 0.1)
    colours = np.where(right[..., None], BLUES(share), ORANGES(share / worst))

    size = min(max(5.5, _CELL * number), _LARGEST) if number <= NUMBERED else 7
    figure = Figure(figsize=(size + 0.1, size), layout="constrained")
    ax = figure.subplots()
    if number <= NUMBERED:
        ax.pcolormesh(colours, edgecolor="white", linewidth=2)
        _write_counts(ax, counts, colours)
    else:
        ax.imshow(colours, extent=(0, number, number, 0), interpolation="nearest")
    ax.set_aspect("equal")
    ax.set_ylim(number, 0)
    marked = np.arange(0, number, 1 if number <= NUMBERED else math.ceil(number / _MARKED))
    names = [str(label) for label in np.array(classes)[marked]]
    long = max(map(len, names)) > 2 and number > 5  # labels that would touch each other
    ax.set_xticks(marked + 0.5, names, rotation=90 if long else 0)
    ax.set_yticks(marked + 0.5, names)
    ax.tick_params(length=0, labelcolor=INK)
    ax.set_xlabel("predicted label", color=MUTED)
    ax.set_ylabel("true label", color=MUTED)
    ax.spines[:].set_visible(False)
    return figure


def _write_counts(ax: Axes, counts: np.ndarray, colours: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        shown = count > 0 or row == column
        if not shown and len(counts) > _DOTTED:
            continue
        ax.text(
            column + 0.5,
            row + 0.5,
            str(count) if shown else "·",
            color=HAIRLINE if not shown else "white" if is_dark(*colours[row, column, :3]) else INK,
            fontsize=11 if counts.max() < 1000 else 8,
            fontweight="bold" if row == column else "normal",
            horizontalalignment="center",
            verticalalignment="center_baseline",
        )
