"""Digits as the figures of a run show them."""

from dataclasses import replace

import numpy as np

from network.augmentation import distort
from tasks.digits.network_inputs import scaled_images
from tasks.digits.table import Digits

_VARIANTS = 16


def square_images(digits: Digits) -> np.ndarray:
    """Return (rows, side, side) images, 1 for full ink."""
    side = digits.image_side
    return scaled_images(digits, "float32").reshape(-1, side, side)


def variants(train: Digits, strength: float) -> np.ndarray:
    """Return the first training image and 16 distortions of it, (17, side, side).

    Args:
        train: digits of the training split, at least one.
        strength: of the distortion, as in the training.
    """
    image = scaled_images(replace(train, pixels=train.pixels[:1]), "float32")
    rng = np.random.default_rng(0)  # fixed: nothing is trained on these, they are to look at
    distorted = distort(np.repeat(image, _VARIANTS, axis=0), rng, strength)
    return np.vstack([image, distorted]).reshape(-1, train.image_side, train.image_side)
