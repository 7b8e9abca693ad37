"""A part of the training split held out to watch the training, and to end it in time."""

from collections.abc import Mapping, Sequence

import numpy as np

from network.loss import cross_entropy, penalty
from network.model import weighted_sums


class Validation:
    """Held-out digits, and the weights that have read them at the least cost so far.

    Args:
        images: (rows, inputs) of the held-out digits; none without a validation part.
        targets: (rows, outputs), 1 for the right output, 0 for the others.
        activation: function of the network's hidden layers.
        l2: weight of the penalty, which the cost carries like that of the training.
        examples: number of digits trained on, for the penalty.

    Attributes:
        best_weights: those of the least cost; empty before the first is measured.
    """

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        *,
        activation: str,
        l2: float,
        examples: int,
    ) -> None:
        self._images, self._targets = images, targets
        self._activation, self._l2, self._examples = activation, l2, examples
        self._least = np.inf
        self.best_weights: list[np.ndarray] = []

    def go_on(self, best_weights: list[np.ndarray], history: Sequence[Mapping[str, float]]) -> None:
        """Take up the best weights of a training that was interrupted, and their cost."""
        self.best_weights = best_weights
        self._least = min((row.get("validation_cost", np.inf) for row in history), default=np.inf)

    def measure(self, weights: Sequence[np.ndarray]) -> dict[str, float]:
        """Return the held-out digits' cost and accuracy, and remember the best weights."""
        if len(self._images) == 0:
            return {}
        z = weighted_sums(weights, self._images, self._activation)
        cost = cross_entropy(z, self._targets) / len(z) + penalty(weights, self._l2, self._examples)
        if cost < self._least:
            self._least = cost
            self.best_weights = [layer.copy() for layer in weights]
        accuracy = float((z.argmax(axis=1) == self._targets.argmax(axis=1)).mean())
        return {"validation_cost": cost, "validation_accuracy": accuracy}


def patience_is_over(history: Sequence[Mapping[str, float]], patience: int) -> bool:
    """Say whether the validation cost has not fallen for so many epochs; 0 waits for ever."""
    if not patience or not history:
        return False
    costs = [row["validation_cost"] for row in history]
    return len(costs) - 1 - int(np.argmin(costs)) >= patience
