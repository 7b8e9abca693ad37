"""The gradient of a batch as the sum over partitions of the examples, each computed where it is.

The partitions follow from the settings and their gradients are added in a fixed order, so the same
seed gives the same bytes, wherever and on however many machines each is computed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from network.batch_gradient import GradientSettings, batch_gradient
from network.epoch_plan import EpochPlan
from network.examples import Examples
from network.sharding import add

T = TypeVar("T")
Gradient = tuple[float, list[np.ndarray]]  # summed cross-entropy, and an array a trained layer
Rows = np.ndarray | None  # of a batch, numbered from the partition's first; None is all of them
Compute = Callable[[Sequence[np.ndarray], float, Sequence[Rows]], Gradient]


class PartitionedGradient:
    """Cost and gradient of the next batch; each partition has the share of it that it holds.

    Args:
        partitions: the rows of each, one after the other from 0.
        plans: each epoch's order of the examples.
        compute: given the weights, a factor and each partition's rows, returns the sum of the
            partitions' gradients as `partition_gradient` and `sum_in_pairs` have it. Called for one
            batch after the other.

    Attributes:
        gradients: one array a trained layer in the shape of its weights, of the last call.
    """

    def __init__(
        self, partitions: Sequence[slice], plans: Iterator[EpochPlan], compute: Compute
    ) -> None:
        self._partitions, self._plans, self._compute = partitions, plans, compute
        self._order: np.ndarray | None = None
        self._done = self._count = partitions[-1].stop  # examples of the epoch
        self.gradients: Sequence[np.ndarray] = ()

    def __call__(self, weights: Sequence[np.ndarray], examples: int, factor: float) -> float:
        """Compute `gradients` of the next examples, times `factor`; return their cross-entropy."""
        if self._done == self._count:
            self._order, self._done = next(self._plans).order, 0
        batch = slice(self._done, self._done + examples)
        self._done = batch.stop
        cost, self.gradients = self._compute(weights, factor, self._shares(batch))
        return cost

    def _shares(self, batch: slice) -> list[Rows]:
        if self._order is None:
            return [None] * len(self._partitions)
        rows = self._order[batch]
        return [
            rows[(part.start <= rows) & (rows < part.stop)] - part.start
            for part in self._partitions
        ]


def partition_gradient(
    examples: Examples,
    weights: Sequence[np.ndarray],
    factor: float,
    rows: Rows,
    settings: GradientSettings,
) -> Gradient:
    """Return the summed cross-entropy of some examples, and its gradient times `factor`.

    Args:
        examples: the partition.
        weights: one matrix a layer, (outputs, inputs + 1).
        factor: what the gradients are multiplied by.
        rows: which of the examples; None is all of them.
        settings: how it is computed.
    """
    if rows is not None:
        examples = examples.part(rows)
    plan = EpochPlan(order=None, seed=None, rng_state=None)
    with batch_gradient(weights, examples, [plan], max(1, len(examples)), settings) as gradient:
        cost = gradient(weights, len(examples), factor)
        if len(examples) == 0:
            return 0.0, [np.zeros_like(layer) for layer in gradient.gradients]
        return cost, list(gradient.gradients)


def add_gradients(one: Gradient, other: Gradient) -> Gradient:
    """Return the sum of two gradients, and leave them as they are."""
    total = [layer.copy() for layer in one[1]]
    add(total, other[1])
    return one[0] + other[0], total


def sum_in_pairs(parts: Sequence[T], add_two: Callable[[T, T], T]) -> T:
    """Return the sum of one part or more: of neighbours, then of their sums, and so on.

    Args:
        parts: numbers, gradients, or what stands for those of another machine.
        add_two: returns the sum of two of them.
    """
    while len(parts) > 1:
        pairs = [parts[start : start + 2] for start in range(0, len(parts), 2)]
        parts = [add_two(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return parts[0]
