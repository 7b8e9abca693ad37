"""Where everything lies in the chart of the accuracy of several runs.

`templates/accuracy.svg.jinja` draws it, for a run's folder and in the index of all runs.
"""

from collections.abc import Sequence
from typing import Any

from tasks.report.scale import Scale
from tasks.runs.past_runs import PastRun

WIDTH, HEIGHT = 600, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 14, 56, 78  # margins of the points, text included
_INSET = 30  # from the ends of the grid to the first and the last run
_STEPS = 5  # of the grid, at most
_LEAST_SPAN = 0.01  # of accuracies, from the lowest on the chart to the highest
_BAR = 8  # the widest an interval is drawn
_LETTER = 8.5  # the width of a character, about


def accuracy_chart(
    runs: Sequence[PastRun], champion: str | None, names: Sequence[str], marks: Sequence[str]
) -> dict[str, Any]:
    """Lay out the accuracy of some runs with its 95 % interval, each on its own test split.

    Evenly, because runs come in bursts: by the clock, a month of them would hide behind an evening.

    Args:
        runs: at least one, oldest first.
        champion: the run in use, which is marked where it is one of them.
        names: what each run is called when it is pointed at.
        marks: what stands below each run; may be empty.
    """
    low = min(run.accuracy_interval[0] for run in runs)
    high = max(run.accuracy_interval[1] for run in runs)
    low = max(0.0, min(low, high - _LEAST_SPAN))
    y = Scale(low, max(high, low + _LEAST_SPAN), HEIGHT - _BOTTOM, _TOP)
    x = Scale(0, len(runs) - 1, _LEFT + _INSET, WIDTH - _RIGHT - _INSET) if len(runs) > 1 else None
    places = [x(place) if x else (_LEFT + WIDTH - _RIGHT) / 2 for place in range(len(runs))]
    pitch = (WIDTH - _LEFT - _RIGHT) / len(runs)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "bottom": HEIGHT - _BOTTOM,
        "bar": round(min(_BAR, 0.6 * pitch), 1),
        "radius": 5 if len(runs) <= 60 else 2,
        "ticks": [{"y": place, "text": text} for place, text in y.percent_ticks(_STEPS)],
        "points": [
            {
                "x": place,
                "y": y(run.accuracy),
                "low": y(run.accuracy_interval[0]),
                "high": y(run.accuracy_interval[1]),
                "accuracy": run.accuracy,
                "promoted": run.verdict == "promoted",
                "champion": run.run == champion,
                "name": name,
                "mark": mark,
                "anchor": _anchor(place, mark),
            }
            for run, place, name, mark in zip(runs, places, names, marks, strict=True)
        ],
    }


def _anchor(place: float, text: str) -> str:
    """Return which part of a text stands at a place, so that it does not leave the picture."""
    half = _LETTER * len(text) / 2
    return "start" if place < half else "end" if place > WIDTH - half else "middle"
