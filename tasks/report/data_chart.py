"""Where everything lies in the chart of a run's data: which digits, how much ink, and where.

`templates/data.svg.jinja` draws it.
"""

import math
from collections.abc import Sequence
from typing import Any

from tasks.digits.profile import INK_BINS, Profile
from tasks.report.figure_style import blue, is_dark
from tasks.report.scale import Scale

_WIDTH = 600
_LEFT, _RIGHT = 76, 26  # margins
_TOP, _HEIGHT = 48, 130  # of a panel: from its title to its grid, and of the grid
_PANEL = 234  # from one panel to the next
_STEPS = 3  # of a grid, at most
_CELL = 64  # the side of a part of the image
_LETTER = 9  # the width of a digit, about


def data_chart(profile: Profile, before: Profile | None) -> dict[str, Any]:
    """Lay out today's data and, where they are known, the champion's.

    Args:
        profile: of today's data.
        before: of the champion's, which has the same classes.
    """
    parts = len(profile.regions)
    top = 2 * _PANEL + _TOP
    return {
        "width": _WIDTH,
        "height": top + parts * _CELL + 16,
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "panel": _PANEL,
        "before": before is not None,
        "shares": _shares(profile, before),
        "ink": _ink(profile, before),
        "cell": _CELL,
        "regions": list(_regions(profile, before, top)),
    }


def _shares(profile: Profile, before: Profile | None) -> dict[str, Any]:
    """Lay out a bar for each class, and a line where it ended in the champion's data."""
    now = [count / profile.rows for count in profile.counts]
    then = [count / before.rows for count in before.counts] if before else []
    y = Scale(0, max(*now, *then), _TOP + _HEIGHT, _TOP)
    pitch = (_WIDTH - _LEFT - _RIGHT) / len(now)
    widest = _LETTER * (1 + max(len(str(label)) for label in profile.classes))
    return {
        "ticks": list(y.percent_ticks(_STEPS)),
        "bottom": y.start,
        "width": round(0.62 * pitch, 1),
        "line": round(0.84 * pitch, 1),
        "bars": [
            {
                "x": round(_LEFT + (place + 0.5) * pitch, 1),
                "y": y(share),
                "before": y(then[place]) if before else None,
                # As many labels as have room; with ten classes that is all of them.
                "label": None if place % math.ceil(widest / pitch) else profile.classes[place],
            }
            for place, share in enumerate(now)
        ],
    }


def _ink(profile: Profile, before: Profile | None) -> dict[str, Any]:
    """Lay out how many images have how much ink, from the palest to the darkest of either set."""
    sets = [(each.ink_histogram, each.rows) for each in (profile, before) if each]
    used = [place for place in range(INK_BINS) if any(counts[place] for counts, _ in sets)]
    first, last = used[0], used[-1] + 1
    shares = [[count / rows for count in counts[first:last]] for counts, rows in sets]
    top = _PANEL + _TOP
    x = Scale(first / INK_BINS, last / INK_BINS, _LEFT, _WIDTH - _RIGHT)
    y = Scale(0, max(map(max, shares)), top + _HEIGHT, top)
    now, *then = (_steps(x, y, each) for each in shares)
    return {
        "ticks": list(y.percent_ticks(_STEPS)),
        "x_ticks": list(x.percent_ticks(8)),
        "bottom": y.start,
        "now": now,
        "before": then[0] if then else None,
    }


def _steps(x: Scale, y: Scale, shares: Sequence[float]) -> str:
    """Return the path around a histogram, from the axis and back to it."""
    width = (x.high - x.low) / len(shares)
    path = f"M{x.start} {y.start}"
    for place, share in enumerate(shares):
        path += f"V{y(share)}H{x(x.low + (place + 1) * width)}"
    return f"{path}V{y.start}"


def _regions(profile: Profile, before: Profile | None, top: int) -> Any:
    """Yield the parts of the image: mean ink, and how much that is more or less than before.

    An image of fewer pixels than 4 a side has fewer parts; parts of another number than the
    champion's can't be compared.
    """
    darkest = max(map(max, profile.regions)) or 1.0
    same = before and [*map(len, before.regions)] == [*map(len, profile.regions)]
    left = (_LEFT + _WIDTH - _RIGHT - _CELL * len(profile.regions)) / 2
    for row, shares in enumerate(profile.regions):
        for column, share in enumerate(shares):
            colour = blue(share / darkest)
            change = 100 * (share - before.regions[row][column]) if before and same else 0.0
            yield {
                "x": left + column * _CELL,
                "y": top + row * _CELL,
                "colour": "#{:02x}{:02x}{:02x}".format(*colour),
                "dark": is_dark(*(part / 255 for part in colour)),
                "text": f"{100 * share:.0f} %",
                "change": f"{change:+.1f}" if abs(change) >= 0.05 else None,
            }
