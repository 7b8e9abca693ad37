"""The chart of a run's data: which digits, how much ink, and where in the image it is."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tasks.digits.profile import INK_BINS, Profile
from tasks.report.figure_style import BLUE, BLUES, INK, ORANGE

_PERCENT = FuncFormatter(lambda share, _: f"{100 * share:.3g} %")
_TICKS = 20
_NOW, _BEFORE = "now", "the champion's"


def data_chart(profile: Profile, before: Profile | None) -> Figure:
    """Draw today's data in blue, and the champion's in orange where they are known.

    Args:
        profile: of today's data.
        before: of the champion's.
    """
    figure = Figure(figsize=(5.6, 6.6), layout="constrained")
    shares, ink, regions = figure.subplots(3, height_ratios=(1, 1, 1.45))
    _shares(shares, profile, before)
    _ink(ink, profile, before)
    for ax in (shares, ink):
        ax.yaxis.set_major_locator(MaxNLocator(3))
        ax.yaxis.set_major_formatter(_PERCENT)
        ax.grid(axis="y", linewidth=0.8)
        ax.tick_params(length=0)
        ax.spines["left"].set_visible(False)
    if before:
        shares.legend(
            frameon=False,
            labelcolor="linecolor",
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=2,
            borderpad=0,
        )
    _regions(regions, profile, before)
    return figure


def _shares(ax: Axes, profile: Profile, before: Profile | None) -> None:
    digits = np.arange(len(profile.classes))
    ax.bar(digits, np.array(profile.counts) / profile.rows, 0.62, color=BLUE, label=_NOW)
    if before:
        share = np.array(before.counts) / before.rows
        ax.hlines(share, digits - 0.42, digits + 0.42, color=ORANGE, linewidth=2.5)
        ax.plot([], [], color=ORANGE, linewidth=2.5, label=_BEFORE)
    # As many labels as have room; with ten classes that is all of them.
    shown = digits[:: math.ceil(len(digits) / _TICKS)]
    ax.set_xticks(shown, [str(profile.classes[number]) for number in shown])
    ax.set_title("Share of each label")


def _ink(ax: Axes, profile: Profile, before: Profile | None) -> None:
    """Draw how many images have how much ink, from the palest to the darkest of either set."""
    both = np.array(profile.ink_histogram) + (np.array(before.ink_histogram) if before else 0)
    used = np.flatnonzero(both)
    first, last = int(used[0]), int(used[-1]) + 1
    edges = np.arange(first, last + 1) / INK_BINS
    now = np.array(profile.ink_histogram[first:last]) / profile.rows
    ax.stairs(now, edges, fill=True, color=BLUE)
    if before:
        then = np.array(before.ink_histogram[first:last]) / before.rows
        ax.stairs(then, edges, color=ORANGE, linewidth=2)
    ax.xaxis.set_major_formatter(_PERCENT)
    ax.set_title("Images by their share of ink")


def _regions(ax: Axes, profile: Profile, before: Profile | None) -> None:
    """Draw each part's mean ink, and below it how much that is more or less than before."""
    now = np.array(profile.regions)
    then = np.array(before.regions) if before else now
    colours = BLUES(now / max(now.max(), 1e-9))
    ax.pcolormesh(colours, edgecolor="white", linewidth=2)
    for (row, column), share in np.ndenumerate(now):
        dark = colours[row, column, :3] @ (0.299, 0.587, 0.114) < 0.5
        change = 100 * (share - then[row, column]) if then.shape == now.shape else 0.0
        moved = abs(change) >= 0.05
        ax.text(
            column + 0.5,
            row + (0.36 if moved else 0.5),
            f"{100 * share:.0f} %",
            color="white" if dark else INK,
            horizontalalignment="center",
            verticalalignment="center_baseline",
        )
        if moved:
            ax.text(
                column + 0.5,
                row + 0.72,
                f"{change:+.1f}",
                color="white" if dark else INK,
                fontsize=9,
                horizontalalignment="center",
                verticalalignment="center_baseline",
            )
    ax.set_aspect("equal")
    ax.invert_yaxis()
    ax.set_axis_off()
    ax.set_title("Ink by the part of the image", loc="center")
