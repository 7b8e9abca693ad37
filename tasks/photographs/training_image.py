"""A digit of a photograph, cut out and scaled as the digits of the training images are.

data/README.md says how those are made: the ink fills the image from edge to edge in its longer
direction and is in the middle in the other. Images of 28 × 28 are taken for MNIST's own: the ink
fits 20 × 20 there and is placed by its centre of mass.
"""

import math

import numpy as np
from PIL import Image
from scipy import ndimage

from tasks.photographs.strokes import Strokes

_MNIST_SIDE, _MNIST_BOX = 28, 20
_SOFT = 0.05  # of a digit's longer side; the soft edge of its strokes is no wider


def training_image(
    digit: Strokes, ink: np.ndarray, labels: np.ndarray, image_side: int
) -> np.ndarray:
    """Cut a digit out of a photograph and scale it, aspect kept, as the training images are.

    Args:
        digit: where it is.
        ink: (height, width) of the photograph, 0 none … 1 black.
        labels: (height, width) the labelled ink; that of other digits is left out.
        image_side: height and width of the network's images.

    Returns:
        (image_side, image_side) float32, 0 paper … 1 full ink.
    """
    longer = max(digit.height, digit.width)
    margin = longer  # wide enough for the square below, wherever the digit is in it
    own = np.pad(_own_ink(digit, ink, labels), margin)
    box = _MNIST_BOX if image_side == _MNIST_SIDE else image_side
    pixel = longer / box  # pixels of the photograph to one of the image
    if image_side == _MNIST_SIDE:
        centre = [place + 0.5 for place in ndimage.center_of_mass(own)]
        top, left = (place - image_side / 2 * pixel for place in centre)
    else:
        top, left = (
            margin - _gap(length / pixel, image_side) * pixel
            for length in (digit.height, digit.width)
        )
    square = (left, top, left + image_side * pixel, top + image_side * pixel)
    size = (image_side, image_side)
    image = Image.fromarray(own).resize(size, Image.Resampling.LANCZOS, box=square)
    return np.asarray(image).clip(0, 1)


def _gap(length: float, image_side: int) -> float:
    """Return the gap before ink of a length in pixels; odd gaps are wider after it."""
    whole = max(1, round(length))
    return (image_side - whole) // 2 + (whole - length) / 2


def _own_ink(digit: Strokes, ink: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the ink in a digit's box as a share of its full, without that of its neighbours."""
    around = labels[digit.box]
    own = np.isin(around, digit.labels)
    soft = max(1, math.ceil(_SOFT * max(own.shape)))
    near = ndimage.binary_dilation(own, iterations=soft) & (own | (around == 0))
    share: np.ndarray = (ink[digit.box] / np.float32(digit.full_ink)).clip(0, 1) * near
    return share
