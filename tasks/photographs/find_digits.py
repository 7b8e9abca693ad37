"""Where on a photograph the digits are, in the order in which they are read.

What belongs to one digit, and what is a speck or a line, is told by comparison with a usual digit
of the same photograph, so size and resolution do not matter.
"""

import numpy as np
from scipy import ndimage

from tasks.photographs.join_strokes import joined
from tasks.photographs.ruled_lines import ruled_lines
from tasks.photographs.strokes import Strokes, middle, strokes_in

LINE = -1  # in labelled ink; no number of a piece
_LOW, _HIGH = 0.4, 2.5  # heights of a usual digit; lower is a speck, higher is a line or a blot
_FLAT = 3.0  # times as wide as high; flatter is a line
_INSIDE = 0.2  # of their own points; strokes around so many others are a frame and not a zero
_HOLLOW = 0.04  # of their box; the strokes of a table or of a torn frame cover less
_TELLING = 0.1  # of all ink; upright pieces with less are specks
_SAME_ROW = 0.5  # of the lower one's height; neighbours in a row share so much


def find_digits(ink: np.ndarray) -> tuple[list[Strokes], np.ndarray]:
    """Find the digits on a photograph.

    Args:
        ink: (height, width), 0 none … 1 black.

    Returns:
        The digits, rows from top to bottom and each from left to right; and the labelled ink,
        (height, width), 0 where there is none, LINE where a line of the paper is, else the number
        of the piece it belongs to.
    """
    found, labels = _pieces(ink)
    if found and (lines := ruled_lines(found, labels, _usual_height(found))).any():
        found, labels = _pieces(np.where(lines, 0, ink))
        labels[lines] = LINE
    if not found:
        return [], labels
    usual = _usual_height(found)
    found = [
        each
        for each in found
        if each.height <= _HIGH * usual and not (each.width > usual and _is_flat(each))
    ]
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
    for digit in sorted(digits, key=lambda each: each.left + each.right):
        best = max(rows, key=lambda row: _shared_height(row[-1], digit), default=None)
        if best is not None and _shared_height(best[-1], digit) >= _SAME_ROW:
            best.append(digit)
        else:
            rows.append([digit])
    rows.sort(key=lambda row: float(np.mean([each.top + each.bottom for each in row])))
    return [digit for row in rows for digit in row]


def _pieces(ink: np.ndarray) -> tuple[list[Strokes], np.ndarray]:
    found, labels = strokes_in(ink)
    return [each for each in found if not _is_frame(each, found, labels)], labels


def _usual_height(found: list[Strokes]) -> float:
    """Return the height that most ink has; that of flat strokes counts if they have nearly all.

    Digits that stand on one line are one flat piece, and specks beside it say nothing of them.
    """
    upright = [each for each in found if not _is_flat(each)]
    if sum(each.points for each in upright) < _TELLING * sum(each.points for each in found):
        upright = found
    return middle([each.height for each in upright], [each.points for each in upright])


def _shared_height(one: Strokes, other: Strokes) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / min(one.height, other.height)


def _is_flat(strokes: Strokes) -> bool:
    return strokes.width > _FLAT * strokes.height


def _is_frame(strokes: Strokes, found: list[Strokes], labels: np.ndarray) -> bool:
    """Tell whether strokes are drawn around others, or are hardly anything in a large box."""
    if strokes.points < _HOLLOW * strokes.height * strokes.width:
        return True
    within = [other for other in found if _is_in_box(other, strokes)]
    if sum(other.points for other in within) < _INSIDE * strokes.points:
        return False
    own = np.isin(labels[strokes.box], strokes.labels)
    around = ndimage.binary_fill_holes(own) & ~own
    held = np.isin(labels[strokes.box][around], [label for each in within for label in each.labels])
    return int(held.sum()) >= _INSIDE * strokes.points


def _is_in_box(inner: Strokes, outer: Strokes) -> bool:
    return (
        outer.top < inner.top
        and inner.bottom < outer.bottom
        and outer.left < inner.left
        and inner.right < outer.right
    )
