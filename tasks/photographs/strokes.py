"""Connected ink: separated from the paper, counted, measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tasks.photographs.ink import least_ink

NO_STROKES = -1  # in labelled ink: specks, stains and lines of the paper
MOST_STROKES = 10_000  # on a photograph; a densely printed page has about half as many

_EVERY_WAY = np.ones((3, 3), bool)  # ink that touches at a corner is connected
_EDGE = 0.4  # of its full ink; the edge of a stroke is there
_FAINT = 0.3  # of the full ink of most strokes; fainter ones are stains, or shine through the paper
_LEAST_AREA = 12  # pixels; ink that covers less is no digit at any size
_FULL = 0.9  # quantile of a stroke's ink that counts as full


class CrowdedError(Exception):
    """A photograph holds more than can be looked through in a reasonable time."""


@dataclass(frozen=True)
class Strokes:
    """A connected component of ink, or several that make up one digit.

    Attributes:
        labels: the numbers of its components in the photograph's labelled ink.
        top: first row; `bottom` is the row after the last.
        left: first column; `right` is the column after the last.
        area: how many pixels of the photograph it covers.
        full_ink: how much ink there is in the middle of its lines, 0 … 1.
    """

    labels: tuple[int, ...]
    top: int
    left: int
    bottom: int
    right: int
    area: int
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
            area=self.area + other.area,
            full_ink=max(self.full_ink, other.full_ink),
        )


def strokes_in(ink: np.ndarray) -> tuple[list[Strokes], np.ndarray]:
    """Separate ink into connected components.

    The edge of a component is where its ink is a certain share of its own full ink: faint writing
    near bold keeps its width, and neighbours whose soft edges run into each other come apart.

    Args:
        ink: (height, width), 0 none … 1 black.

    Returns:
        The strokes, numbered from 1; and the labelled ink, (height, width), 0 where there is none,
        else the number of the strokes, or NO_STROKES for specks and stains.

    Raises:
        CrowdedError: there are more than MOST_STROKES.
    """
    regions, count = ndimage.label(ink > least_ink(ink), _EVERY_WAY)
    full_of_region = _full_ink(ink, regions, count)
    inked = regions > 0
    inked &= ink > (_EDGE * full_of_region)[regions]
    labels, count = ndimage.label(inked, _EVERY_WAY)
    inked_labels = labels[inked]
    area = np.bincount(inked_labels, minlength=count + 1)
    full = np.zeros(count + 1, np.float32)
    full[inked_labels] = full_of_region[regions[inked]]

    kept = np.flatnonzero(area >= _LEAST_AREA)
    if len(kept):
        usual = middle(full[kept], area[kept])
        kept = kept[full[kept] >= _FAINT * usual]
    if len(kept) > MOST_STROKES:
        raise CrowdedError(f"{len(kept):,} separate marks, more than the {MOST_STROKES:,} allowed")
    number_of = np.full(count + 1, NO_STROKES, np.int32)
    number_of[0] = 0
    number_of[kept] = np.arange(1, len(kept) + 1)
    labels = number_of[labels]
    strokes = [
        Strokes(
            labels=(number,),
            top=rows.start,
            left=columns.start,
            bottom=rows.stop,
            right=columns.stop,
            area=int(area[kept[number - 1]]),
            full_ink=float(full[kept[number - 1]]),
        )
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
    ]
    return strokes, labels


def _full_ink(ink: np.ndarray, regions: np.ndarray, count: int) -> np.ndarray:
    """Return the _FULL quantile of the ink of each region, (count + 1,); 1 for the paper."""
    inked = regions > 0
    # Sorted by region and within it by ink: as bits, positive floats are in the order of numbers.
    order = regions[inked].astype(np.int64) << 32
    order |= ink[inked].astype(np.float32).view(np.int32)
    order.sort()
    starts = np.searchsorted(order, np.arange(1, count + 2, dtype=np.int64) << 32)
    first, last = starts[:-1], starts[1:] - 1
    values = order.astype(np.int32).view(np.float32)  # the lower half of each
    place = first + _FULL * (last - first)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, last)
    full = np.ones(count + 1, np.float32)
    full[1:] = values[below] + (place - below) * (values[above] - values[below])
    return full


def middle(values: Sequence[float] | np.ndarray, weights: Sequence[int] | np.ndarray) -> float:
    """Return the weighted median of values."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(np.asarray(weights)[order])
    return float(values[order[np.searchsorted(total, total[-1] / 2)]])
