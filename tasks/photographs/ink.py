"""How much ink there is at each pixel of a photograph, whatever the light and the paper.

The paper's shade is estimated for every place from what surrounds it, so that a shadow over the
page is no ink. Ink is what is darker; a photograph that is light on dark is inverted first.
"""

import math

import numpy as np
from PIL import Image
from scipy import ndimage

_LONGER, _SHORTER = 0.35, 0.6  # of the sides; paper is seen so far around the largest digit
_WINDOW = 15  # pixels of the coarse picture, in which the paper's shade is estimated; odd
_COARSE = 500_000  # pixels; the coarse picture has at most as many, for time's sake
_PAPER = 75  # percentile of the shades around a place; ink covers less than the rest of them
_LEAST_CONTRAST = 0.08  # of the paper's shade; what is fainter is grain or a stain
_GRAIN = 6.0  # times the paper's own unevenness


def ink_of(shade: np.ndarray, around: float = math.inf) -> np.ndarray:
    """Return the ink at each pixel, 0 none … 1 black, as a share of the paper's own shade there.

    Args:
        shade: (height, width), 0 black … 255 white; dark on light or light on dark.
        around: pixels within which the light is even and more paper is seen than ink; at most as
            many as the largest digit that the photograph can hold needs.

    Returns:
        (height, width) float32, slightly smoothed.
    """
    largest = min(_LONGER * max(shade.shape), _SHORTER * min(shade.shape))
    smooth = ndimage.gaussian_filter(shade.astype(np.float32), 0.7, mode="nearest")
    coarse = _coarse(smooth, min(around, largest))
    usual = ndimage.median_filter(coarse, _WINDOW, mode="nearest")
    # What stands out from what is around it is the writing, and shows which way round it is.
    contrast = smooth - _enlarged(usual, smooth)
    contrast **= 3
    if float(np.mean(contrast)) > 0:
        smooth, coarse = 255 - smooth, 255 - coarse
    paper = ndimage.percentile_filter(coarse, _PAPER, _WINDOW, mode="nearest")
    paper = ndimage.gaussian_filter(paper, _WINDOW / 4, mode="nearest")
    ink: np.ndarray = 1 - smooth / np.maximum(_enlarged(paper, smooth), 16)
    return ink


def least_ink(ink: np.ndarray) -> float:
    """Return how much ink a pixel needs to be more than the grain of the paper."""
    # Ink is at most some half of a picture, so the lower percentiles are the paper's alone. In a
    # normal distribution the 30th is 0.76 standard deviations above the 10th, 0.52 below the mean.
    low, lower_middle = np.percentile(ink, [10, 30])
    grain = float(lower_middle - low) / 0.76
    return max(_LEAST_CONTRAST, float(lower_middle) + (0.52 + _GRAIN) * grain)


def _coarse(shade: np.ndarray, around: float) -> np.ndarray:
    """Return a picture so small that its window covers what is around a place."""
    share = min(1.0, _WINDOW / max(around, 1.0), math.sqrt(_COARSE / shade.size))
    height, width = (max(1, round(length * share)) for length in shade.shape)
    return np.asarray(Image.fromarray(shade).resize((width, height), Image.Resampling.BOX))


def _enlarged(coarse: np.ndarray, shade: np.ndarray) -> np.ndarray:
    size = (shade.shape[1], shade.shape[0])
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR))
