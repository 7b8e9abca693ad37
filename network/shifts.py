"""Images moved by whole pixels, for a prediction that is the mean over several places.

Kernels that are applied at every second place see an image and the image moved by one pixel
differently, although both show the same digit. Averaged over `PHASES`, all the ways in which the
places of the kernels can meet an image, the prediction no longer depends on where it happened to
lie. Source: Krizhevsky, Sutskever and Hinton 2012, ImageNet Classification with Deep Convolutional
Neural Networks, section 4.1, which averages ten crops.
"""

import math

import numpy as np

Shifts = tuple[tuple[int, int], ...]  # each pixels down, pixels to the right; 0 or more

UNMOVED: Shifts = ((0, 0),)
PHASES: Shifts = ((0, 0), (0, 1), (1, 0), (1, 1))


def moved(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return the images moved; what leaves them is lost, and what comes in is blank.

    Args:
        images: (examples, side · side), pixels in row order, 0 for blank; left as they are.
        down: pixels, 0 to side.
        right: pixels, 0 to side.

    Raises:
        ValueError: the images are not square.
    """
    if not (down or right):
        return images
    side = math.isqrt(images.shape[1])
    if side * side != images.shape[1]:
        raise ValueError(f"images {images.shape} are not square")
    before = images.reshape(-1, side, side)
    after = np.zeros_like(before)
    after[:, down:, right:] = before[:, : side - down, : side - right]
    return after.reshape(images.shape)
