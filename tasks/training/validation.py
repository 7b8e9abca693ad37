"""A part of the training split held out to watch the training, and to end it in time."""

from collections.abc import Mapping, Sequence

import numpy as np

from network.blocks import rows_in_block
from network.examples import Examples
from network.loss import cross_entropy, penalty
from network.model import weighted_sums
from network.training_state import TrainingState


class Validation:
    """Held-out digits, and the weights of the least cost on them so far.

    Args:
        held_out: the digits that are not trained on; none without a validation part.
        activation: function of the network's hidden layers.
        l2: weight of the penalty, which is part of this cost as it is of the training's.
        trained_on: number of digits trained on, for the penalty.

    Attributes:
        best_weights: those of the least cost; empty before the first is measured.
    """

    def __init__(self, held_out: Examples, activation: str, l2: float, trained_on: int) -> None:
        self._held_out = held_out
        self._activation, self._l2, self._trained_on = activation, l2, trained_on
        self._least = np.inf
        self.best_weights: list[np.ndarray] = []

    def resume(
        self, best_weights: list[np.ndarray], history: Sequence[Mapping[str, float]]
    ) -> None:
        """Restore the best weights of a training that was interrupted, and their cost."""
        self.best_weights = best_weights
        self._least = min((row.get("validation_cost", np.inf) for row in history), default=np.inf)

    def measure(self, state: TrainingState) -> dict[str, float]:
        """Return the held-out digits' cost and accuracy, and remember the best weights."""
        if len(self._held_out) == 0:
            return {}
        weights = state.network
        count, cost, right = len(self._held_out), 0.0, 0
        rows = rows_in_block([weights[0].shape[1] - 1, *map(len, weights)])
        for start in range(0, count, rows):
            part = np.arange(start, min(start + rows, count))
            images = self._held_out.scaled(part, weights[0].dtype)
            targets = self._held_out.targets[part]
            z = weighted_sums(weights, images, self._activation)
            cost += cross_entropy(z, targets)
            right += int((z.argmax(axis=1) == targets.argmax(axis=1)).sum())
        cost = cost / count + penalty(weights, self._l2, self._trained_on)
        if cost < self._least:
            self._least = cost
            self.best_weights = [layer.copy() for layer in weights]
        return {"validation_cost": cost, "validation_accuracy": right / count}


def patience_is_over(history: Sequence[Mapping[str, float]], patience: int) -> bool:
    """Say whether the validation cost has not fallen for so many epochs; 0 is no limit."""
    if not patience or not history:
        return False
    costs = [row["validation_cost"] for row in history]
    return len(costs) - 1 - int(np.argmin(costs)) >= patience
