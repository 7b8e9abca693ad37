"""Lines of ruled paper that digits stand on or hang from: found, so that the digits come apart."""

import numpy as np
from scipy import ndimage

from tasks.photographs.strokes import CrowdedError, Strokes

_LONG = 2.0  # heights of a usual digit; no stroke of a digit runs so far across
_WIDE = 3.0  # heights of a usual digit; strokes that wide may be digits on a line
_EDGE = 2  # pixels above and below a line that are its soft edge, or a step where it is slanted
_CROWDED = 4.0  # of the photograph; the boxes of lines, and of digits on them, cover less


def ruled_lines(found: list[Strokes], labels: np.ndarray, usual: float) -> np.ndarray:
    """Return where lines run through strokes that are much wider than a digit.

    Args:
        found: strokes, each a single component.
        labels: (height, width) the labelled ink.
        usual: height of a usual digit.

    Returns:
        (height, width) bool.

    Raises:
        CrowdedError: there are wide strokes all over each other.
    """
    lines = np.zeros(labels.shape, bool)
    length = round(_LONG * usual)
    wide = [each for each in found if each.width > _WIDE * usual]
    if sum(each.height * each.width for each in wide) > _CROWDED * labels.size:
        raise CrowdedError("lines that run through each other")
    for strokes in wide:
        own = labels[strokes.box] == strokes.labels[0]
        run = ndimage.maximum_filter1d(own, 1 + _EDGE, axis=0)
        run = ndimage.minimum_filter1d(run, length, axis=1, mode="constant", cval=0)
        run = ndimage.maximum_filter1d(run, length, axis=1, mode="constant", cval=0)
        lines[strokes.box] |= ndimage.maximum_filter1d(run, 1 + _EDGE, axis=0)
    return lines
