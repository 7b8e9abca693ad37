"""A part of the training split held out to watch the training, and to end it in time."""

from collections.abc import Sequence

import numpy as np

from network.loss import cross_entropy, penalty
from network.model import weighted_sums
from tasks.images import one_hot


class Validation:
    """Held-out digits, and the weights that have read them at the least cost so far.

    Args:
        images: (rows, inputs) of the held-out digits.
        labels: (rows,) their digits.
        activation: function of the network's hidden layers.
        l2: weight of the penalty, which the cost carries like that of the training.
        examples: number of digits trained on, for the penalty.
        patience: epochs without a lower cost after which to stop; 0 is never.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        activation: str,
        l2: float,
        examples: int,
        patience: int,
    ) -> None:
        self._images, self._labels = images, labels
        self._targets = one_hot(labels, images.dtype.name)
        self._activation, self._l2, self._examples = activation, l2, examples
        self._patience, self._waited, self._least = patience, 0, np.inf
        self.best_weights: list[np.ndarray] = []

    def measure(self, weights: Sequence[np.ndarray]) -> dict[str, float]:
        """Return the held-out digits' cost and accuracy, and remember the best weights."""
        z = weighted_sums(weights, self._images, self._activation)
        cost = cross_entropy(z, self._targets) / len(z) + penalty(weights, self._l2, self._examples)
        self._waited += 1
        if cost < self._least:
            self._least, self._waited = cost, 0
            self.best_weights = [layer.copy() for layer in weights]
        accuracy = float((z.argmax(axis=1) == self._labels).mean())
        return {"validation_cost": cost, "validation_accuracy": accuracy}

    @property
    def patience_is_over(self) -> bool:
        """Whether the cost has not fallen for as many epochs as were to be waited."""
        return 0 < self._patience <= self._waited
