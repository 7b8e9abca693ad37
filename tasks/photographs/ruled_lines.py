"""Lines of ruled paper that digits stand on or hang from: found, so that the digits come apart."""

import numpy as np
from scipy import ndimage

from tasks.photographs.strokes import Strokes

_LONG = 2.0  # heights of a usual digit; no stroke of a digit runs so far across
_WIDE = 3.0  # heights of a usual digit; strokes that wide may be digits on a line
_EDGE = 2  # points above and below a line that are its soft edge, or a step where it is slanted


def ruled_lines(found: list[Strokes], labels: np.ndarray, usual: float) -> np.ndarray:
    """Return where lines run through strokes that are much wider than a digit.

    Args:
        found: pieces of ink.
        labels: (height, width) the labelled ink.
        usual: height of a usual digit.

    Returns:
        (height, width) bool.
    """
    lines = np.zeros(labels.shape, bool)
    length = round(_LONG * usual)
    for strokes in found:
        if strokes.width > _WIDE * usual:
            own = np.isin(labels[strokes.box], strokes.labels)
            run = ndimage.maximum_filter1d(own, 1 + _EDGE, axis=0)
            run = ndimage.minimum_filter1d(run, length, axis=1, mode="constant", cval=0)
            run = ndimage.maximum_filter1d(run, length, axis=1, mode="constant", cval=0)
            lines[strokes.box] |= ndimage.maximum_filter1d(run, 1 + _EDGE, axis=0)
    return lines
