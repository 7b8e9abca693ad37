"""A batch split into shards, each computed by a thread of its own.

The number of shards follows from the settings and their gradients are added in a fixed order, so
the same seed gives the same bytes whatever the number of cores and whichever thread finishes first.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from itertools import pairwise

import numpy as np

from network.backpropagation import Backpropagation
from network.convolution import Convolution

SMALLEST_SHARD = 256  # examples; below this, another thread costs more than it saves


def number_of_shards(examples: int, threads: int) -> int:
    """Return how many shards a batch of so many examples has, one a thread at most."""
    return max(1, min(threads, examples // SMALLEST_SHARD))


class ShardedBackpropagation:
    """Back propagation of batches of at most a fixed number of examples, in shards.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1).
        examples: most examples of a call.
        activation: function of the hidden layers.
        executor: where all shards but the first are computed.
        shards: how many there are, 1 or more.
        frozen: how many layers, from the first, are not trained.
        convolutions: the first layers, as far as they are convolutional.

    Attributes:
        gradients: as of `Backpropagation`, summed over the whole batch.
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        examples: int,
        activation: str,
        executor: Executor,
        shards: int,
        frozen: int = 0,
        convolutions: Sequence[Convolution] = (),
    ) -> None:
        self._executor = executor
        self._parts = [
            slice(*ends) for ends in pairwise(examples * n // shards for n in range(shards + 1))
        ]
        self._shards = [
            Backpropagation(weights, part.stop - part.start, activation, frozen, convolutions)
            for part in self._parts
        ]
        self.gradients = self._shards[0].gradients

    def __call__(
        self,
        weights: Sequence[np.ndarray],
        images: np.ndarray,
        targets: np.ndarray,
        factor: float = 1.0,
    ) -> float:
        """Compute `gradients` and return the summed cross-entropy, as `Backpropagation` does."""
        waiting = [
            (shard, self._executor.submit(shard, weights, images[part], targets[:, part], factor))
            for shard, part in zip(self._shards[1:], self._parts[1:], strict=True)
            if part.start < len(images)
        ]
        first = self._parts[0]
        cost = self._shards[0](weights, images[first], targets[:, first], factor)
        for shard, future in waiting:
            cost += future.result()
            add(self.gradients, shard.gradients)
        return cost


@np.errstate(over="ignore", invalid="ignore")  # as in `Backpropagation`
def add(sums: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> None:
    """Add gradients to sums, a layer each, in place."""
    for total, gradient in zip(sums, gradients, strict=True):
        total += gradient
