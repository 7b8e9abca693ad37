"""How much ink there is at each point of a photograph, whatever the light and the paper.

The paper's shade is worked out for every place from what surrounds it, so that a shadow over the
page is no ink. Ink is what is darker; a picture that is light on dark is turned over first.
"""

import math

import numpy as np
from PIL import Image
from scipy import ndimage

_LONGER, _SHORTER = 0.35, 0.6  # of the sides; paper is seen so far around the largest digit
_WINDOW = 15  # the surroundings are looked at this coarse, in points; odd
_PAPER = 75  # percentile of the shades around a place; ink covers less than the rest of them
_LEAST_CONTRAST = 0.08  # of the paper's shade; what is fainter is grain or a stain
_GRAIN = 6.0  # times the paper's own unevenness


def ink_of(shade: np.ndarray, surroundings: float = math.inf) -> np.ndarray:
    """Return the ink at each point, 0 none … 1 black, as a share of the paper's own shade there.

    Args:
        shade: (height, width), 0 black … 255 white; dark on light or light on dark.
        surroundings: points within which the light is even and more paper is seen than ink; at
            most as many as the largest digit that the picture can hold needs.

    Returns:
        (height, width) float32, slightly smoothed.
    """
    largest = min(_LONGER * max(shade.shape), _SHORTER * min(shade.shape))
    smooth = ndimage.gaussian_filter(shade.astype(np.float32), 0.7, mode="nearest")
    coarse = _coarse(smooth, min(surroundings, largest))
    usual = ndimage.median_filter(coarse, _WINDOW, mode="nearest")
    # What stands out from its surroundings is the writing, and tells which way round it is.
    if float(np.mean((smooth - _enlarged(usual, smooth)) ** 3)) > 0:
        smooth, coarse = 255 - smooth, 255 - coarse
    paper = ndimage.percentile_filter(coarse, _PAPER, _WINDOW, mode="nearest")
    paper = ndimage.gaussian_filter(paper, _WINDOW / 4, mode="nearest")
    ink: np.ndarray = 1 - smooth / np.maximum(_enlarged(paper, smooth), 16)
    return ink


def least_ink(ink: np.ndarray) -> float:
    """Return how much ink a point needs to be more than the grain of the paper."""
    # Ink is at most some half of a picture, so the lower percentiles are the paper's alone. In a
    # normal distribution the 30th is 0.76 standard deviations above the 10th, 0.52 below the mean.
    low, lower_middle = np.percentile(ink, [10, 30])
    grain = float(lower_middle - low) / 0.76
    return max(_LEAST_CONTRAST, float(lower_middle) + (0.52 + _GRAIN) * grain)


def _coarse(shade: np.ndarray, surroundings: float) -> np.ndarray:
    """Return a picture so small that its window covers the surroundings."""
    share = min(1.0, _WINDOW / max(surroundings, 1.0))
    height, width = (max(1, round(length * share)) for length in shade.shape)
    return np.asarray(Image.fromarray(shade).resize((width, height), Image.Resampling.BOX))


def _enlarged(coarse: np.ndarray, shade: np.ndarray) -> np.ndarray:
    size = (shade.shape[1], shade.shape[0])
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR))
