"""Stored pixels as the network wants them."""

from collections.abc import Sequence

import numpy as np

from tasks.digits.classes import class_numbers
from tasks.digits.table import Digits


def scaled_images(digits: Digits, dtype: str) -> np.ndarray:
    """Return pixels as (rows, inputs) floats with 1 for full ink."""
    images: np.ndarray = digits.pixels.astype(dtype)
    images /= digits.pixel_max
    return images


def one_hot(labels: np.ndarray, classes: Sequence[int], dtype: str) -> np.ndarray:
    """Return labels as (rows, classes): 1 in the column of the label's class, 0 elsewhere."""
    columns = np.zeros((len(labels), len(classes)), dtype)
    columns[np.arange(len(labels)), class_numbers(labels, classes)] = 1
    return columns
