"""The chart of a run's accuracy beside that of the runs before it."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tasks.report.figure_style import BLUE, HAIRLINE, MUTED, ORANGE
from tasks.runs.past_runs import PastRun


def accuracy_chart(runs: Sequence[PastRun], champion: str | None) -> Figure:
    """Draw the accuracy of some runs with its 95 % interval, each on its own test split.

    Args:
        runs: oldest first; the last is the run that the report is about.
        champion: the run in use before it, if there was one.
    """
    figure = Figure(figsize=(5.6, 2.9), layout="constrained")
    ax = figure.subplots()
    for place, run in enumerate(runs):
        this = place == len(runs) - 1
        color = BLUE if this else ORANGE if run.run == champion else MUTED
        low, high = run.accuracy_interval
        ax.plot([place, place], [low, high], color=color, linewidth=4, alpha=0.35)
        ax.plot(place, run.accuracy, "D" if run.run == champion else "o", color=color, markersize=6)
        if this or run.run == champion:
            ax.annotate(
                f"{100 * run.accuracy:.1f} %",
                (place, high),
                xytext=(0, 6),
                textcoords="offset points",
                color=color,
                fontweight="bold",
                horizontalalignment="center",
            )
    if champion in {run.run for run in runs[:-1]}:
        ax.plot([], [], "D", color=ORANGE, label="the champion")
        ax.plot([], [], "o", color=BLUE, label="this run")
        ax.legend(
            frameon=False,
            labelcolor="linecolor",
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=2,
            handletextpad=0.3,
            borderpad=0,
        )
    ax.set_title("Test accuracy")
    ax.set_xlim(-0.6, max(len(runs), 2) - 0.4)
    ax.margins(y=0.2)
    # Counted, not dated: equal runs after equal histories leave equal bytes.
    earlier = [f"\N{MINUS SIGN}{back}" for back in range(len(runs) - 1, 0, -1)]
    ax.set_xticks(range(len(runs)), [*earlier, "this run"])
    ax.tick_params(length=0)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    ax.grid(axis="y", linewidth=0.8, color=HAIRLINE)
    ax.spines["left"].set_visible(False)
    return figure
