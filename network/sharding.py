"""A batch split into two shards, each computed by a thread of its own.

The number of shards is fixed and their gradients are added in a fixed order, so the same seed gives
the same bytes whatever the number of cores and whichever thread finishes first.
"""

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from network.backpropagation import Backpropagation

SMALLEST_SHARD = 256  # examples; below this, a second thread costs more than it saves


class ShardedBackpropagation:
    """Back propagation of batches of at most a fixed number of examples, in one or two shards.

    Attributes:
        gradients: as of `Backpropagation`, summed over the whole batch.
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        examples: int,
        activation: str,
        threads: Executor,
        frozen: int = 0,
    ) -> None:
        self._threads = threads
        self._cut = examples // 2 if examples >= 2 * SMALLEST_SHARD else examples
        self._first = Backpropagation(weights, self._cut, activation, frozen)
        self._second = Backpropagation(weights, examples - self._cut, activation, frozen)
        self.gradients = self._first.gradients

    def __call__(
        self,
        weights: Sequence[np.ndarray],
        images: np.ndarray,
        targets: np.ndarray,
        factor: float = 1.0,
    ) -> float:
        """Compute `gradients` and return the summed cross-entropy, as `Backpropagation` does."""
        cut = self._cut
        if len(images) <= cut:
            return self._first(weights, images, targets, factor)
        second = self._threads.submit(self._second, weights, images[cut:], targets[:, cut:], factor)
        cost = self._first(weights, images[:cut], targets[:, :cut], factor)
        cost += second.result()
        with np.errstate(over="ignore", invalid="ignore"):  # as in `Backpropagation`
            for total, gradient in zip(self.gradients, self._second.gradients, strict=True):
                total += gradient
        return cost
