"""Frames: strokes drawn around others, found in time that grows with the photograph alone."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from tasks.photographs.strokes import Strokes

_INSIDE = 0.2  # of their own area; strokes around so much of others are a frame and not a zero
_HOLLOW = 0.04  # of their box; the strokes of a table or of a torn frame cover less


def without_frames(found: Sequence[Strokes], labels: np.ndarray) -> list[Strokes]:
    """Return the strokes that neither are drawn around others nor cover hardly any of their box.

    Args:
        found: all strokes, in the order of their numbers.
        labels: (height, width) the labelled ink.
    """
    inside = _enclosed_area(found, labels)
    return [
        each
        for each, held in zip(found, inside, strict=True)
        if held < _INSIDE * each.area and each.area >= _HOLLOW * each.height * each.width
    ]


def _enclosed_area(found: Sequence[Strokes], labels: np.ndarray) -> np.ndarray:
    """Return how many pixels of other strokes there are in the holes of each, (strokes,)."""
    area = np.zeros(len(found), np.int64)
    surrounding = _surrounding(found, labels)
    for index in sorted(range(len(found)), key=lambda index: found[index].top, reverse=True):
        # Strokes start below those around them, so what is in their own holes is known by now.
        if (outer := surrounding[index]) >= 0:
            area[outer] += found[index].area + area[index]
    return area


def _surrounding(found: Sequence[Strokes], labels: np.ndarray) -> np.ndarray:
    """Return which strokes each is in a hole of, by their place among all, (strokes,); -1 for none.

    Ink connects at corners, so paper does not. Left of the first pixel of strokes is the paper
    around them; above the first pixel of a hole is the ink around it.
    """
    paper, holes = ndimage.label(np.pad(labels <= 0, 1, constant_values=True))
    numbers = np.arange(1, len(found) + 1)
    top = np.array([each.top for each in found], int)
    left = top.copy()
    for index, each in enumerate(found):
        row = labels[each.top, each.left : each.right]
        left[index] = each.left + int(np.argmax(row == numbers[index]))
    around = paper[top + 1, left]  # the padding moves all by one
    used, hole_of = np.unique(around, return_inverse=True)
    renumbered = np.zeros(holes + 1, np.int32)
    renumbered[used] = np.arange(1, len(used) + 1)
    paper = renumbered[paper]
    inks = np.full(len(used), -1)
    for index, (rows, columns) in enumerate(ndimage.find_objects(paper)):
        if rows.start > 0:  # else it is the paper around everything
            row = paper[rows.start, columns]
            column = columns.start + int(np.argmax(row == index + 1))
            inks[index] = labels[rows.start - 2, column - 1] - 1
    surrounding: np.ndarray = inks[hole_of]
    return surrounding
