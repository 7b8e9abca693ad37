"""Strokes that make up one digit joined: the bar of a 5, the two lines of a 4, broken ink."""

import numpy as np
from scipy import ndimage

from tasks.photographs.strokes import Strokes

# In heights of a usual digit:
_FRAGMENT = 0.55  # lower strokes are parts of a digit more likely than digits
_REACH = 0.2  # how far a part may be from the rest
_HEIGHT = 1.4  # how high a digit may be in the end

_OVERLAP = 0.6  # of the narrower one's width; strokes that stand above each other
_LEAST = 0.02  # of the other's area; less is a speck near it, and would spoil its box


def joined(found: list[Strokes], labels: np.ndarray, usual: float) -> list[Strokes]:
    """Join the parts of digits, the smallest first, each with the strokes nearest to it.

    Args:
        found: strokes, each a single component.
        labels: (height, width) the labelled ink.
        usual: height of a usual digit.
    """
    whole = list(found)
    # A column of each of `whole`, with room for all that are joined. Comparing one with all others
    # is a few operations on arrays; a loop over pairs would take minutes for thousands.
    columns = np.array([_column(each) for each in found], int).reshape(-1, 5).T
    table = np.concatenate([columns, np.zeros_like(columns)], axis=1)
    present = np.arange(table.shape[1]) < len(found)
    place = np.full(max(int(labels.max()), 0) + 1, len(present))  # of each number; past all if none
    place[[each.labels[0] for each in found]] = range(len(found))
    for index in np.argsort(columns[4], kind="stable"):
        if not present[index]:
            continue
        near = _may_join(table, index, usual)
        near = near[present[near]]
        if not len(near):
            continue
        reach = round(_REACH * usual) + 1
        away = _distances(found[index], place, len(present), labels, reach)[near]
        nearest = near[np.argmin(away)]
        if away.min() <= _REACH * usual:
            both = found[index].together(whole[nearest])
            present[[index, nearest, len(whole)]] = False, False, True
            table[:, len(whole)] = _column(both)
            place[list(both.labels)] = len(whole)
            whole.append(both)
    return [each for each, is_present in zip(whole, present, strict=False) if is_present]


def _column(strokes: Strokes) -> tuple[int, ...]:
    return strokes.top, strokes.left, strokes.bottom, strokes.right, strokes.area


def _may_join(table: np.ndarray, index: int, usual: float) -> np.ndarray:
    """Return the places, ascending, of strokes that may be of one digit with those at an index."""
    top, left, bottom, right, area = table[:, index]
    tops, lefts, bottoms, rights, _ = table
    reach = _REACH * usual
    near = (lefts <= right + reach) & (rights >= left - reach)
    near &= (tops <= bottom + reach) & (bottoms >= top - reach)
    near[index] = False
    others = np.flatnonzero(near)
    tops, lefts, bottoms, rights, areas = table[:, others]
    shared = np.minimum(right, rights) - np.maximum(left, lefts)
    above_each_other = shared >= _OVERLAP * np.minimum(right - left, rights - lefts)
    height = np.maximum(bottom, bottoms) - np.minimum(top, tops)
    may: np.ndarray = others[
        (area >= _LEAST * areas)
        & ((bottom - top < _FRAGMENT * usual) | above_each_other)
        & (height <= _HEIGHT * np.maximum(usual, bottoms - tops))
    ]
    return may


def _distances(
    part: Strokes, place: np.ndarray, places: int, labels: np.ndarray, reach: int
) -> np.ndarray:
    """Return how far it is from a part to the strokes at each place, (places,); inf beyond reach.

    Args:
        part: strokes that are a single component.
        place: (numbers,) the place of the strokes that a component belongs to; `places` for none.
        places: how many there are.
        labels: (height, width) the labelled ink.
        reach: pixels around the part that are looked at.
    """
    rows = slice(max(0, part.top - reach), part.bottom + reach)
    columns = slice(max(0, part.left - reach), part.right + reach)
    around = labels[rows, columns]
    own = around == part.labels[0]
    others = (around > 0) & ~own
    away = ndimage.distance_transform_edt(~own)
    distances = np.full(places + 1, np.inf)
    np.minimum.at(distances, place[around[others]], away[others])
    return distances[:-1]
