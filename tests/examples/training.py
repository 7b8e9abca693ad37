"""Trainings of a moment: their settings, their interruption, what must be equal of two."""

import hashlib

import numpy as np
import pandas as pd

from flows.recipes import RECIPES
from network.loss import cross_entropy, penalty
from network.model import weighted_sums
from network.weights import dump_weights

SILENT = lambda epoch, cost: None  # noqa: E731  # a name for nothing to show
CLASSIC = RECIPES["classic"]


class InterruptedTraining(BaseException):
    """Stands for a kill: nothing in the training sees it coming."""


def interrupt_at(stop: int):  # type: ignore[no-untyped-def]
    """Return a callback that ends the training in an epoch."""

    def show(epoch: int, cost: float) -> None:
        if epoch == stop:
            raise InterruptedTraining

    return show


def outcome(weights: list[np.ndarray], history: pd.DataFrame) -> tuple[bytes, str]:
    """Return what must be equal to the last bit."""
    return dump_weights(weights), history.map(lambda number: float(number).hex()).to_csv()


def cost(
    weights: list[np.ndarray], images: np.ndarray, targets: np.ndarray, l2: float, activation: str
) -> float:
    """Return the cost as `loss.py` defines it, by forward propagation alone."""
    sums = weighted_sums(weights, images, activation)
    return cross_entropy(sums, targets) / len(images) + penalty(weights, l2, len(images))


def digest(*arrays: np.ndarray) -> str:
    """Return the SHA-256 of the arrays' bytes."""
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
