"""Strokes that make up one digit put together: the bar of a 5, the two lines of a 4, broken ink."""

import numpy as np
from scipy import ndimage

from tasks.photographs.strokes import Strokes

# In heights of a usual digit:
_FRAGMENT = 0.55  # lower strokes are parts of a digit more likely than digits
_REACH = 0.2  # how far a part may be from the rest
_HEIGHT = 1.4  # how high a digit may be in the end

_OVERLAP = 0.6  # of the narrower one's width; strokes that stand above each other
_LEAST = 0.02  # of the other's points; less is a speck beside it, and would spoil its box


def joined(found: list[Strokes], labels: np.ndarray, usual: float) -> list[Strokes]:
    """Put the parts of digits together, the smallest first, each with the strokes nearest to it.

    Args:
        found: pieces of ink.
        labels: (height, width) the labelled ink.
        usual: height of a usual digit.
    """
    whole = list(found)
    for part in sorted(found, key=lambda each: each.points):
        near = [other for other in whole if other is not part and _may_join(part, other, usual)]
        if part not in whole or not near:
            continue
        distances = _distances(part, near, labels, round(_REACH * usual) + 1)
        nearest = int(np.argmin(distances))
        if distances[nearest] <= _REACH * usual:
            whole.remove(part)
            whole.remove(near[nearest])
            whole.append(part.together(near[nearest]))
    return whole


def _may_join(part: Strokes, other: Strokes, usual: float) -> bool:
    across = max(part.left, other.left) - min(part.right, other.right)  # below 0: they overlap
    down = max(part.top, other.top) - min(part.bottom, other.bottom)
    above_each_other = -across >= _OVERLAP * min(part.width, other.width)
    return (
        part.points >= _LEAST * other.points
        and max(across, down) <= _REACH * usual
        and (part.height < _FRAGMENT * usual or above_each_other)
        and part.together(other).height <= _HEIGHT * max(usual, other.height)
    )


def _distances(part: Strokes, others: list[Strokes], labels: np.ndarray, reach: int) -> list[float]:
    """Return how far it is from a part to each of other strokes; infinite beyond the reach."""
    rows = slice(max(0, part.top - reach), part.bottom + reach)
    columns = slice(max(0, part.left - reach), part.right + reach)
    around = labels[rows, columns]
    away = ndimage.distance_transform_edt(~np.isin(around, part.labels))
    return [
        float(np.min(away, where=np.isin(around, other.labels), initial=np.inf)) for other in others
    ]
