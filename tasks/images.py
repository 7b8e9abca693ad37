"""Stored pixels as the network wants them."""

import numpy as np

from tasks.digit_table import Digits

CLASSES = 10


def scaled_images(digits: Digits, dtype: str) -> np.ndarray:
    """Return pixels as (rows, inputs) floats with 1 for full ink."""
    return digits.pixels.astype(dtype) / np.dtype(dtype).type(digits.pixel_max)


def one_hot(labels: np.ndarray, dtype: str) -> np.ndarray:
    """Return labels as (rows, 10): 1 in the label's column, 0 elsewhere."""
    return np.eye(CLASSES, dtype=dtype)[labels]
