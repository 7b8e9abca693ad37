"""A photograph read: its digits found, scaled and given to the network."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from network.model import predict
from tasks.errors import InputError
from tasks.photographs.find_digits import find_digits
from tasks.photographs.ink import ink_of
from tasks.photographs.open_photograph import open_photograph
from tasks.photographs.strokes import Strokes
from tasks.photographs.training_image import training_image
from tasks.runs.model import SavedModel

_FIRST_LOOK = 2_000_000  # points; enough to see how high the digits are
_ENOUGH = 64  # points of height; more would tell a network of 20 × 20 or 28 × 28 nothing
_SURROUNDINGS = 2.5  # heights of a digit


@dataclass(frozen=True)
class ReadPhotograph:
    """A photograph and its digits in reading order.

    Attributes:
        shade: (height, width) uint8, the upright picture in grey, scaled down as it was read.
        digits: where each digit is on it.
        images: (digits, side, side) float32, each as the network saw it, 1 full ink.
        probabilities: (digits, classes) how probable each label is.
        classes: the labels there are.
    """

    shade: np.ndarray
    digits: list[Strokes]
    images: np.ndarray
    probabilities: np.ndarray
    classes: tuple[int, ...]


def read_photograph(path: Path, model: SavedModel) -> ReadPhotograph:
    """Read the digits on a photograph or scan.

    It is looked at twice: once to learn how high its digits are, then with no more points than
    they need, and the light judged as closely as their size allows.

    Raises:
        InputError: it can't be opened, or nothing on it looks like a digit.
    """
    shade = open_photograph(path)
    times = max(1, math.ceil(math.sqrt(shade.size / _FIRST_LOOK)))
    small = _reduced(shade, times)
    digits, _ = find_digits(ink_of(small))
    if digits:
        height = times * float(np.median([max(digit.height, digit.width) for digit in digits]))
        times = max(1, int(height / _ENOUGH))
        small = _reduced(shade, times)
        ink = ink_of(small, _SURROUNDINGS * height / times)
    else:  # or they are too small to be seen on a reduced picture
        small = shade
        ink = ink_of(shade)
    digits, labels = find_digits(ink)
    if not digits:
        raise InputError(
            f"{path}: nothing on it looks like a digit. Dark digits on light ground or light ones "
            "on dark are found, each at least some ten pixels high and not touching the next."
        )
    images = np.stack([training_image(digit, ink, labels, model.image_side) for digit in digits])
    flat = images.reshape(len(images), -1)
    probabilities = predict(model.weights, flat, model.activation)
    return ReadPhotograph(small, digits, images, probabilities, model.classes)


def _reduced(shade: np.ndarray, times: int) -> np.ndarray:
    return np.asarray(Image.fromarray(shade).reduce(times)) if times > 1 else shade
