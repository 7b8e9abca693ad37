"""What a network predicts for the digits of a file: memory holds some thousand images at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from network.activations import sigmoid
from network.loss import cross_entropy
from network.model import weighted_sums
from network.shifts import Shifts
from tasks.digits.network_inputs import labels_of, one_hot, scaled_images
from tasks.digits.table import Digits, read_batches, read_info


@dataclass(frozen=True)
class Outcome:
    """A network's predictions for the digits of a file, a few bytes for each.

    Attributes:
        labels: (rows,) the true labels.
        predictions: (rows,) the labels they are predicted to have.
        confidences: (rows,) the probability of each prediction, 0 … 1.
        cross_entropy: the cost without its penalty, averaged over the rows.
    """

    labels: np.ndarray
    predictions: np.ndarray
    confidences: np.ndarray
    cross_entropy: float


def outcome_on(
    parquet: Path, weights: Sequence[np.ndarray], activation: str, shifts: Shifts
) -> Outcome:
    """Predict the labels of a file's digits, one of its groups of rows after the other.

    The same file and weights give the same bits wherever this is called.

    Args:
        parquet: at least one row, written by a stage.
        weights: one matrix a layer, (outputs, inputs + 1), bias in column 0; an output a class.
        activation: function of the hidden layers: sigmoid, tanh or relu.
        shifts: what the prediction is averaged over.
    """
    info = read_info(parquet)
    dtype = weights[0].dtype.name
    every: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    cost = 0.0
    for pixels, labels in read_batches(parquet):
        some = Digits(pixels, labels, info.image_side, info.pixel_max, info.classes)
        sums = weighted_sums(weights, scaled_images(some, dtype), activation, shifts)
        cost += cross_entropy(sums, one_hot(labels, info.classes, dtype))
        probabilities = sigmoid(sums)
        predictions = labels_of(probabilities, info.classes).astype(labels.dtype)
        every.append((labels, predictions, probabilities.max(axis=1)))
    labels, predictions, confidences = map(np.concatenate, zip(*every, strict=True))
    return Outcome(labels, predictions, confidences, cost / info.rows)
