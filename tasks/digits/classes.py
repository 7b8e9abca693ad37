"""The labels a network distinguishes, and which of its outputs each of them has.

Outputs are numbered from 0 in the order of the labels; a label may be any whole number.
"""

from collections.abc import Sequence

import numpy as np

DIGITS = tuple(range(10))
FEWEST, MOST = 2, 100
LEAST_LABEL, GREATEST_LABEL = -(2**31), 2**31 - 1


def class_numbers(labels: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Return the number of each label's output.

    Args:
        labels: (rows,), each one of the classes.
        classes: the labels there are, ascending.
    """
    return np.searchsorted(np.asarray(classes), labels)


def class_counts(labels: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Return how often each class occurs among labels, (classes,); see `class_numbers`."""
    return np.bincount(class_numbers(labels, classes), minlength=len(classes))


def label_type(classes: Sequence[int]) -> str:
    """Return the narrowest type of whole numbers, with a sign, that holds every label."""
    held = (name for name in ("int8", "int16") if _holds(name, classes))
    return next(held, "int32")


def _holds(name: str, classes: Sequence[int]) -> bool:
    return bool(np.iinfo(name).min <= min(classes) and max(classes) <= np.iinfo(name).max)


def in_words(classes: Sequence[int]) -> str:
    """Name the classes to a person, such as `0 to 9` or `1, 3 and 5`.

    Args:
        classes: the labels there are, ascending, two or more.
    """
    *most, last = classes
    if len(most) > 1 and last - most[0] == len(most):
        return f"{most[0]} to {last}"
    return f"{', '.join(map(str, most))} and {last}"


def image_noun(classes: Sequence[int]) -> str:
    """Say what a person calls an image with one of these labels: `digit` or, of others, `image`."""
    return "digit" if tuple(classes) == DIGITS else "image"


def label_noun(classes: Sequence[int]) -> str:
    """Say what a person calls one of these labels: `digit` or, of others, `label`."""
    return "digit" if tuple(classes) == DIGITS else "label"
