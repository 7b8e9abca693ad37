"""The digits on a photograph: found, scaled and given to the network."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.errors import InputError
from tasks.photographs.find_digits import find_digits
from tasks.photographs.ink import ink_of
from tasks.photographs.open_photograph import open_photograph
from tasks.photographs.strokes import CrowdedError, Strokes
from tasks.photographs.training_image import training_image
from tasks.runs.model import SavedModel

_FIRST_LOOK = 2_000_000  # pixels; enough to see how high the digits are
_SECOND_LOOK = 16_000_000  # pixels at most; a photograph of more has digits of more than enough
_ENOUGH = 64  # pixels of height; more would not help a network of 20 × 20 or 28 × 28
_LARGEST = 8 * _ENOUGH  # pixels; a digit so much larger than the usual one is none
_AROUND = 2.5  # heights of a digit; the light is judged so closely


@dataclass(frozen=True)
class ReadPhotograph:
    """A photograph and its digits in reading order.

    Attributes:
        shade: (height, width) uint8, the upright photograph in grey, as far reduced as it was.
        digits: where each digit is on it.
        images: (digits, side, side) float32, each as the network saw it, 1 full ink.
        probabilities: (digits, classes) of each label.
        classes: the label of each of the network's outputs.
    """

    shade: np.ndarray
    digits: list[Strokes]
    images: np.ndarray
    probabilities: np.ndarray
    classes: tuple[int, ...]


def read_photograph(path: Path, model: SavedModel) -> ReadPhotograph:
    """Find the digits on a photograph or scan, and predict their labels.

    Raises:
        InputError: it can't be opened, or nothing on it looks like a digit, or far too much does.
    """
    shade = open_photograph(path)
    try:
        small, ink, digits, labels = _look_twice(shade)
    except CrowdedError as error:
        raise InputError(
            f"{path}: {error}. Cut the picture to its digits, which must stand apart, on paper "
            "without a pattern."
        ) from error
    if not digits:
        raise InputError(
            f"{path}: nothing on it looks like a digit. Dark digits on light ground or light ones "
            "on dark are found, each at least some ten pixels high and not touching the next."
        )
    images = np.stack([training_image(digit, ink, labels, model.image_side) for digit in digits])
    flat = images.reshape(len(images), -1)
    probabilities = model.predict(flat)
    return ReadPhotograph(small, digits, images, probabilities, model.classes)


def _look_twice(
    shade: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, list[Strokes], np.ndarray]:
    """Look for digits once to learn how high they are, then as closely as that height needs.

    Returns:
        The photograph as it was looked at closely, its ink, its digits and its labelled ink.
    """
    times = _least_times(shade, _FIRST_LOOK)
    small = _reduced(shade, times)
    ink = ink_of(small)
    digits, labels = find_digits(ink)
    if digits:
        height = times * float(np.median([max(digit.height, digit.width) for digit in digits]))
        times = max(int(height / _ENOUGH), _least_times(shade, _SECOND_LOOK))
        small = _reduced(shade, times)
        ink = ink_of(small, _AROUND * height / times)
        digits, labels = find_digits(ink, _LARGEST)
    elif times > 1:  # they may be too small to be seen on a reduced photograph
        small = _reduced(shade, _least_times(shade, _SECOND_LOOK))
        ink = ink_of(small)
        digits, labels = find_digits(ink, _LARGEST)
    return small, ink, digits, labels


def _least_times(shade: np.ndarray, pixels: int) -> int:
    """Return how many times smaller a photograph must be to have no more pixels."""
    return math.ceil(math.sqrt(shade.size / pixels))


def _reduced(shade: np.ndarray, times: int) -> np.ndarray:
    return np.asarray(Image.fromarray(shade).reduce(times)) if times > 1 else shade
