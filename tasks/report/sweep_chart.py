"""Where everything lies in the picture of a sweep: a heat map, or the best points as dots.

`templates/heat_map.svg.jinja` and `templates/dots.svg.jinja` draw them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.report.figure_style import blue, is_dark
from tasks.report.pages import percent
from tasks.report.scale import Scale
from tasks.runs.flat_settings import setting

BEST = 40  # points of the chart of dots, at most
_WIDTH = 600
_TOP, _RIGHT = 62, 16  # margins
_COLUMNS = 8  # of a heat map; in a narrower cell an accuracy has no room
_CELL = 40  # the height of a row of the heat map
_WIDEST = 110  # a column of it
_PALEST = 0.08  # of the blue scale, so that the worst cell is not as white as an empty one
_LEAST_SPAN = 0.01  # of accuracies, from the lowest on a chart to the highest
_ROW = 24  # from one dot to the next
_NUMBER = 68  # room for an accuracy on the right of the dots
_STEPS = 4  # of their grid, at most
_LETTER = 8.5  # the width of a character, about
_LONGEST = 26  # characters of a name on the left


def varied(grid: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the settings of a grid that have more than one value; all, where none has."""
    return [name for name, values in grid.items() if len(values) > 1] or list(grid)


def axes_of(grid: Mapping[str, Sequence[Any]]) -> tuple[str, str] | None:
    """Return which setting is in the rows of a heat map and which in its columns.

    None where other than two vary, or where they have too many values for one.
    """
    names = varied(grid)
    if len(names) != 2:
        return None
    rows, columns = sorted(names, key=lambda name: -len(grid[name]))
    return (rows, columns) if len(grid[columns]) <= _COLUMNS and len(grid[rows]) <= BEST else None


def heat_map(
    results: Sequence[Mapping[str, Any]], grid: Mapping[str, Sequence[Any]], axes: tuple[str, str]
) -> dict[str, Any]:
    """Lay out a cell for each point; its colour goes from the least accuracy to the greatest.

    Args:
        results: best first, at least one with an accuracy; those that diverged have none.
        grid: the values of each setting.
        axes: the settings in the rows and in the columns; see `axes_of`.
    """
    rows, columns = (list(grid[name]) for name in axes)
    names = [_short(setting(value), _LONGEST) for value in rows]
    left = round(24 + _LETTER * max(map(len, names)))
    width = round(min((_WIDTH - left - _RIGHT) / len(columns), _WIDEST), 1)
    top = _TOP + 26
    accuracies = [one["validation_accuracy"] for one in results]
    found = [accuracy for accuracy in accuracies if accuracy is not None]
    high = max(found)
    low = min([*found, high - _LEAST_SPAN])
    cells = []
    for place, result in enumerate(results):
        row, column = rows.index(result[axes[0]]), columns.index(result[axes[1]])
        accuracy = result["validation_accuracy"]
        share = 0.0 if accuracy is None else (accuracy - low) / (high - low)
        colour = blue(_PALEST + (1 - _PALEST) * share)
        cells.append(
            {
                "x": round(left + column * width, 1),
                "y": top + row * _CELL,
                "colour": "none" if accuracy is None else "#{:02x}{:02x}{:02x}".format(*colour),
                "dark": accuracy is not None and is_dark(*(part / 255 for part in colour)),
                "text": "✗" if accuracy is None else percent(accuracy)[:-2],  # no room for %,
                "best": place == 0,
                "name": ", ".join(f"{name} {setting(result[name])}" for name in axes),
            }
        )
    return {
        "width": _WIDTH,
        "height": top + _CELL * len(rows) + 14,
        "left": left,
        "top": top,
        "cell": {"width": width, "height": _CELL},
        "axes": axes,
        "rows": [
            {"y": top + _CELL * place + _CELL / 2 + 5, "text": text}
            for place, text in enumerate(names)
        ],
        "columns": [
            {
                "x": round(left + width * (place + 0.5), 1),
                "text": _short(setting(value), int(width / _LETTER)),
            }
            for place, value in enumerate(columns)
        ],
        # The best is drawn last, so that no neighbour covers its frame.
        "cells": cells[::-1],
    }


def dot_chart(
    results: Sequence[Mapping[str, Any]], grid: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    """Lay out the accuracy of the best points, each with its 95 % interval, the best on top.

    Args:
        results: best first, at least one with an accuracy; only 40 are drawn.
        grid: the values of each setting.
    """
    names = varied(grid)
    shown = [one for one in results if one["validation_accuracy"] is not None][:BEST]
    points = [" · ".join(setting(one[name]) for name in names) for one in shown]
    short = [_short(point, _LONGEST) for point in points]
    left = round(24 + _LETTER * max(map(len, short)))
    high = max(one["interval_high"] for one in shown)
    low = max(0.0, min(*(one["interval_low"] for one in shown), high - _LEAST_SPAN))
    x = Scale(low, max(high, low + _LEAST_SPAN), left + 8, _WIDTH - _RIGHT - _NUMBER)
    bottom = _TOP + _ROW * len(shown)
    return {
        "width": _WIDTH,
        "height": bottom + 32,
        "right": _WIDTH - _RIGHT,
        "left": left,
        "top": _TOP,
        "bottom": bottom,
        "settings": _short(" · ".join(name.replace("_", " ") for name in names), 66),
        "ticks": [{"x": place, "text": text} for place, text in x.percent_ticks(_STEPS)],
        "points": [
            {
                "y": _TOP + _ROW * (place + 0.5),
                "x": x(one["validation_accuracy"]),
                "low": x(one["interval_low"]),
                "high": x(one["interval_high"]),
                "accuracy": one["validation_accuracy"],
                "text": text,
                "name": name,
                "best": place == 0,
            }
            for place, (one, text, name) in enumerate(zip(shown, short, points, strict=True))
        ],
    }


def _short(text: str, most: int) -> str:
    """Return a text, or its beginning where it has too many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
