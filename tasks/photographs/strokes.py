"""Ink that hangs together: parted from the paper, counted, measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tasks.photographs.ink import least_ink

_EVERY_WAY = np.ones((3, 3), bool)  # ink that touches at a corner belongs together
_EDGE = 0.4  # of its full ink; the edge of a stroke is there
_FAINT = 0.3  # of the full ink of most strokes; fainter ones are stains, or shine through the paper
_LEAST_POINTS = 12  # ink that covers less is no digit at any size
_FULL = 90  # percentile of a stroke's ink that counts as full


@dataclass(frozen=True)
class Strokes:
    """Ink that hangs together, or several such pieces that make up one digit.

    Attributes:
        labels: the numbers of its pieces in the photograph's labelled ink.
        top: first row; `bottom` is the row after the last.
        left: first column; `right` is the column after the last.
        points: how many points of the photograph it covers.
        full_ink: how much ink there is in the middle of its lines, 0 … 1.
    """

    labels: tuple[int, ...]
    top: int
    left: int
    bottom: int
    right: int
    points: int
    full_ink: float

    @property
    def height(self) -> int:
        """Rows from top to bottom."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns from left to right."""
        return self.right - self.left

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns, to cut it out of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def together(self, other: "Strokes") -> "Strokes":
        """Return these strokes and others as one."""
        return Strokes(
            labels=(*self.labels, *other.labels),
            top=min(self.top, other.top),
            left=min(self.left, other.left),
            bottom=max(self.bottom, other.bottom),
            right=max(self.right, other.right),
            points=self.points + other.points,
            full_ink=max(self.full_ink, other.full_ink),
        )


def strokes_in(ink: np.ndarray) -> tuple[list[Strokes], np.ndarray]:
    """Part ink into pieces that hang together.

    The edge of a piece is where its ink is so much of its own full ink: faint writing beside bold
    keeps its width, and neighbours whose soft edges run into each other are parted.

    Args:
        ink: (height, width), 0 none … 1 black.

    Returns:
        The pieces; and the labelled ink, (height, width), 0 where there is none, else the number
        of the piece.
    """
    regions, count = ndimage.label(ink > least_ink(ink), _EVERY_WAY)
    full = np.ones(count + 1, np.float32)
    for number, box in enumerate(ndimage.find_objects(regions), start=1):
        full[number] = np.percentile(ink[box][regions[box] == number], _FULL)
    labels, _ = ndimage.label((regions > 0) & (ink > _EDGE * full[regions]), _EVERY_WAY)
    points = np.bincount(labels.ravel())
    pieces = [
        Strokes(
            labels=(number,),
            top=rows.start,
            left=columns.start,
            bottom=rows.stop,
            right=columns.stop,
            points=int(points[number]),
            full_ink=float(full[regions[rows, columns][labels[rows, columns] == number][0]]),
        )
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
        if points[number] >= _LEAST_POINTS
    ]
    if pieces:
        usual = middle([each.full_ink for each in pieces], [each.points for each in pieces])
        pieces = [each for each in pieces if each.full_ink >= _FAINT * usual]
    return pieces, labels


def middle(values: Sequence[float], weights: Sequence[int]) -> float:
    """Return the weighted median of values."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(np.asarray(weights)[order])
    return float(values[order[np.searchsorted(total, total[-1] / 2)]])
