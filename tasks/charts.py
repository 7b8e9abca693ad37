"""The two charts of a run: its cost by epoch and its confusion matrix.

Pictures of digits and weights are in `contact_sheets`.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter

from tasks.figure_style import BLUE, BLUES, HAIRLINE, INK, MUTED, ORANGE, ORANGES

_LOG_SPAN = 3  # below this ratio of largest to smallest a logarithmic axis has too few ticks


def cost_chart(history: pd.DataFrame) -> Figure:
    """Draw the cost of every epoch, on a logarithmic scale where it falls far.

    Args:
        history: columns `epoch` and `cost`, one row an epoch; where present, `validation_cost` is
            drawn beside the cost and `validation_accuracy` (0 to 1) below it.
    """
    accuracy = "validation_accuracy" in history
    figure = Figure(figsize=(5.6, 5.2 if accuracy else 3.3), layout="constrained")
    axes: list[Axes] = list(figure.subplots(2 if accuracy else 1, sharex=True, squeeze=False)[:, 0])

    lines = {"training": ("cost", BLUE, "-")}
    if "validation_cost" in history:
        lines["validation"] = ("validation_cost", ORANGE, (0, (4, 1.5)))
    drawn = history[[column for column, _, _ in lines.values()]].to_numpy(dtype=float)
    logarithmic = drawn.min() > 0 and drawn.max() >= _LOG_SPAN * drawn.min()
    for name, (column, colour, dashes) in lines.items():
        _line(axes[0], history["epoch"], history[column], colour, dashes, name)
    if logarithmic:
        axes[0].set_yscale("log")
        decades = np.log10(drawn.max() / drawn.min())
        axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,)))
        axes[0].yaxis.set_minor_locator(NullLocator())
        axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].set_title("Cost, logarithmic scale" if logarithmic else "Cost")
    if len(lines) > 1:
        axes[0].legend(frameon=False, labelcolor="linecolor", loc="upper right")

    if accuracy:
        _line(axes[1], history["epoch"], history["validation_accuracy"], ORANGE, (0, (4, 1.5)))
        axes[1].yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None, symbol=" %"))
        axes[1].set_title("Accuracy on the validation digits")
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _line(
    ax: Axes,
    epochs: "pd.Series[int]",
    values: "pd.Series[float]",
    colour: str,
    dashes: str | tuple[int, tuple[float, float]],
    name: str | None = None,
) -> None:
    """Draw one line that ends in a dot and the number it reached."""
    ax.plot(epochs, values, color=colour, linestyle=dashes, linewidth=2, label=name)
    last_epoch, last_value = epochs.iloc[-1], values.iloc[-1]
    ax.plot(last_epoch, last_value, "o", color=colour, markersize=6, clip_on=False)
    ax.annotate(
        f"{last_value:.3g}",
        (last_epoch, last_value),
        xytext=(9, 0),
        textcoords="offset points",
        color=colour,
        fontweight="bold",
        verticalalignment="center",
        annotation_clip=False,
    )
    ax.grid(axis="y", linewidth=0.8)
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)


def confusion_chart(confusion_matrix: np.ndarray) -> Figure:
    """Draw a confusion matrix: true digits in rows, predicted digits in columns.

    Blue is the share of a digit recognised. Orange is the share mistaken for another digit, on a
    scale of its own that ends at 10 % or at the worst confusion: on the same scale as the blue, a
    good network's mistakes would be invisible.
    """
    counts = np.asarray(confusion_matrix)
    classes = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(classes, dtype=bool)
    worst = max(share[~right].max(), 0.1)
    colours = np.where(right[..., None], BLUES(share), ORANGES(share / worst))

    figure = Figure(figsize=(5.6, 5.5), layout="constrained")
    ax = figure.subplots()
    ax.pcolormesh(colours, edgecolor="white", linewidth=2)
    for (row, column), count in np.ndenumerate(counts):
        brightness = colours[row, column, :3] @ (0.299, 0.587, 0.114)
        shown = count > 0 or right[row, column]
        ax.text(
            column + 0.5,
            row + 0.5,
            str(count) if shown else "·",
            color=HAIRLINE if not shown else "white" if brightness < 0.6 else INK,
            fontsize=11 if counts.max() < 1000 else 8,
            fontweight="bold" if right[row, column] else "normal",
            horizontalalignment="center",
            verticalalignment="center_baseline",
        )
    ax.set_aspect("equal")
    ax.invert_yaxis()
    ax.set_xticks(np.arange(classes) + 0.5, [str(digit) for digit in range(classes)])
    ax.set_yticks(np.arange(classes) + 0.5, [str(digit) for digit in range(classes)])
    ax.tick_params(length=0, labelcolor=INK)
    ax.set_xlabel("predicted digit", color=MUTED)
    ax.set_ylabel("true digit", color=MUTED)
    ax.spines[:].set_visible(False)
    return figure
