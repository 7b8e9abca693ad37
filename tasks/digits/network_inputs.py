"""Stored digits as the arrays the network takes, and its outputs as labels again."""

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


def labels_of(outputs: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Return the label each image is predicted to have, (rows,): that of its largest output.

    Args:
        outputs: (rows, classes) probabilities, or the weighted sums they are made of.
        classes: the label of each output.
    """
    labels: np.ndarray = np.array(classes)[outputs.argmax(axis=1)]
    return labels
