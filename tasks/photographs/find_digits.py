"""Where on a photograph the digits are, in reading order.

What belongs to one digit, and what is a speck or a line, is decided by comparison with a usual
digit of the same photograph, so size and resolution do not matter.
"""

import math

import numpy as np

from tasks.photographs.frames import without_frames
from tasks.photographs.join_strokes import joined
from tasks.photographs.ruled_lines import ruled_lines
from tasks.photographs.strokes import NO_STROKES, CrowdedError, Strokes, middle, strokes_in

_LOW, _HIGH = 0.4, 2.5  # heights of a usual digit; lower is a speck, higher is a line or a blot
_FLAT = 3.0  # times as wide as high; flatter is a line
_TELLING = 0.1  # of all ink; upright strokes with less are specks
_SAME_ROW = 0.5  # of the lower one's height; neighbours in a row share so much
_CROWDED = 4.0  # of the photograph; squares around digits that stand apart cover less


def find_digits(ink: np.ndarray, largest: float = math.inf) -> tuple[list[Strokes], np.ndarray]:
    """Find the digits on a photograph.

    Args:
        ink: (height, width), 0 none … 1 black.
        largest: height and width in pixels that no digit exceeds.

    Returns:
        The digits, rows from top to bottom and each from left to right; and the labelled ink,
        (height, width), 0 where there is none, else the number of the strokes it belongs to, or
        NO_STROKES where it is of a speck, a stain or a line of the paper.

    Raises:
        CrowdedError: there are too many strokes, or they run through each other.
    """
    found, labels = strokes_in(ink)
    found = without_frames(found, labels)
    if found and (lines := ruled_lines(found, labels, _usual_height(found))).any():
        found, labels = strokes_in(np.where(lines, 0, ink))
        found = without_frames(found, labels)
        labels[lines] = NO_STROKES
    if not found:
        return [], labels
    usual = _usual_height(found)
    found = [
        each
        for each in found
        if each.height <= _HIGH * usual
        and max(each.height, each.width) <= largest
        and not (each.width > usual and _is_flat(each))
    ]
    if sum(max(each.height, each.width) ** 2 for each in found) > _CROWDED * labels.size:
        raise CrowdedError("marks that run through each other")
    digits = [
        each
        for each in joined(found, labels, usual)
        if each.height >= _LOW * usual and not _is_flat(each)
    ]
    return in_reading_order(digits), labels


def in_reading_order(digits: list[Strokes]) -> list[Strokes]:
    """Return digits row by row from top to bottom, each row from left to right.

    From left to right, each digit joins the row whose last digit is most nearly at its height. So
    a row may climb or sink across the page.
    """
    rows: list[list[Strokes]] = []
    ends = np.zeros((2, len(digits)))  # top and bottom of the last digit of each row
    for digit in sorted(digits, key=lambda each: each.left + each.right):
        shared = _shared_height(digit, *ends[:, : len(rows)])
        if len(rows) and shared.max() >= _SAME_ROW:
            row = int(shared.argmax())
            rows[row].append(digit)
        else:
            row = len(rows)
            rows.append([digit])
        ends[:, row] = digit.top, digit.bottom
    rows.sort(key=lambda row: float(np.mean([each.top + each.bottom for each in row])))
    return [digit for row in rows for digit in row]


def _usual_height(found: list[Strokes]) -> float:
    """Return the height that most ink has; that of flat strokes counts if they have nearly all.

    Digits that stand on one line are one flat component, and specks near it say nothing of them.
    """
    upright = [each for each in found if not _is_flat(each)]
    if sum(each.area for each in upright) < _TELLING * sum(each.area for each in found):
        upright = found
    return middle([each.height for each in upright], [each.area for each in upright])


def _shared_height(digit: Strokes, tops: np.ndarray, bottoms: np.ndarray) -> np.ndarray:
    """Return the rows a digit shares with each of others, as a share of the lower one's height."""
    shared: np.ndarray = np.minimum(digit.bottom, bottoms) - np.maximum(digit.top, tops)
    shared /= np.minimum(digit.height, bottoms - tops)
    return shared


def _is_flat(strokes: Strokes) -> bool:
    return strokes.width > _FLAT * strokes.height
