"""Stored pixels as the network wants them."""

import numpy as np

from tasks.digit_table import Digits

CLASSES = 10


def scaled_images(digits: Digits, dtype: str) -> np.ndarray:
    """Return pixels as (rows, inputs) floats with 1 for full ink."""
    images: np.ndarray = digits.pixels.astype(dtype)
    images /= digits.pixel_max
    return images


def one_hot(labels: np.ndarray, dtype: str) -> np.ndarray:
    """Return labels as (rows, 10): 1 in the label's column, 0 elsewhere."""
    columns = np.zeros((len(labels), CLASSES), dtype)
    columns[np.arange(len(labels)), labels] = 1
    return columns
