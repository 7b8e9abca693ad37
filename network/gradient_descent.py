"""Gradient descent: step by step against the gradient of the cost, in batches, with momentum.

A large batch is cut into two shards that are worked on side by side, each by one thread. The
shards do not depend on the machine and their gradients are added in a fixed order, so the same
seed gives the same bytes whatever the number of cores.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from network.backpropagation import Backpropagation
from network.loss import penalty

SHARDS = 2
SMALLEST_SHARD = 256  # examples; below this, handing work to a thread costs more than it saves


class DivergenceError(ArithmeticError):
    """The cost stopped being a number: the steps are too long."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples: its number, from 1, and its cost."""

    number: int
    cost: float


def gradient_descent(
    weights: Sequence[np.ndarray],
    images: np.ndarray,
    targets: np.ndarray,
    *,
    learning_rate: float,
    l2: float,
    epochs: int,
    rng: np.random.Generator,
    activation: str = "sigmoid",
    batch_size: int | None = None,
    momentum: float = 0.0,
    velocity: Sequence[np.ndarray] | None = None,
    first_epoch: int = 1,
) -> Iterator[Epoch]:
    """Train the weights in place, yielding after every epoch.

    The velocity of a weight is `momentum` times its last one minus `learning_rate` times its
    gradient, and is added to the weight. Weights, velocity, `rng` and the epoch's number are the
    whole state of a training: given again, it goes on as if it had never stopped.

    The cost of an epoch is that of the weights each batch met, before its own step: for the full
    batch that is the cost before the epoch's one step, for mini-batches the mean on the way.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1), bias in column 0; changed in place.
        images: (examples, inputs), about 0 … 1.
        targets: (examples, outputs), 1 for the right output, 0 for the others.
        learning_rate: length of a step as a multiple of the gradient, above 0.
        l2: weight of the penalty on large weights, 0 or more; see `network.loss`.
        epochs: number of the last epoch.
        rng: decides the order of the examples in mini-batches; not used for the full batch.
        activation: function of the hidden layers: sigmoid, tanh or relu.
        batch_size: examples a step; None is all of them.
        momentum: share of the last step kept in the next, 0 … 1; 0 is plain gradient descent.
        velocity: arrays in the shapes of the weights, changed in place; by default zeros.
        first_epoch: number of the first epoch, from 1.

    Raises:
        ValueError: shapes that do not fit together.
        DivergenceError: the cost became infinite or not a number; at once, with the epoch.
    """
    _check_shapes(weights, images, targets)
    dtype = weights[0].dtype
    examples = len(images)
    batch_size = min(batch_size or examples, examples)
    velocity = [np.zeros_like(layer) for layer in weights] if velocity is None else velocity
    inputs = np.ones((examples, images.shape[1] + 1), dtype)  # column 0 meets the bias
    inputs[:, 1:] = images
    columns = np.ascontiguousarray(targets.T, dtype)  # (outputs, examples)

    with threadpool_limits(1, user_api="blas"), _Shards(weights, batch_size, activation) as shards:
        for number in range(first_epoch, epochs + 1):
            cost = 0.0
            for batch in _batches(examples, batch_size, rng):
                size = len(inputs[batch])
                with np.errstate(over="ignore", invalid="ignore"):  # told as divergence below
                    cost += shards.backpropagate(weights, inputs[batch], columns[:, batch])
                    cost += size * penalty(weights, l2, examples)
                    for layer, step, gradient in zip(
                        weights, velocity, shards.gradients, strict=True
                    ):
                        gradient *= learning_rate / size
                        gradient[:, 1:] += learning_rate * l2 / examples * layer[:, 1:]
                        step *= momentum
                        step -= gradient
                        layer += step
                if not math.isfinite(cost):
                    raise DivergenceError(
                        f"epoch {number}: the cost became {cost}. Training diverged: lower "
                        f"--learning-rate (now {learning_rate:g})"
                        + (f" or --momentum (now {momentum:g})." if momentum else ".")
                    )
            yield Epoch(number, cost / examples)


def _batches(
    examples: int, batch_size: int, rng: np.random.Generator
) -> Iterator[slice | np.ndarray]:
    if batch_size == examples:
        yield slice(None)
        return
    order = rng.permutation(examples)
    for start in range(0, examples, batch_size):
        yield order[start : start + batch_size]


class _Shards:
    """Back propagation of a batch in one or two shards, each on a thread of its own."""

    def __init__(self, weights: Sequence[np.ndarray], batch_size: int, activation: str) -> None:
        self._count = SHARDS if batch_size >= SHARDS * SMALLEST_SHARD else 1
        rows = math.ceil(batch_size / self._count)
        self._shards = [Backpropagation(weights, rows, activation) for _ in range(self._count)]
        self._threads = ThreadPoolExecutor(self._count) if self._count > 1 else None
        self.gradients = self._shards[0].gradients

    def backpropagate(
        self, weights: Sequence[np.ndarray], inputs: np.ndarray, targets: np.ndarray
    ) -> float:
        """Compute `gradients`, summed over the batch, and return its summed cross-entropy."""
        if self._threads is None:
            return self._shards[0](weights, inputs, targets)
        cuts = [len(inputs) * cut // self._count for cut in range(self._count + 1)]
        costs = list(
            self._threads.map(
                lambda shard, start, stop: shard(
                    weights, inputs[start:stop], targets[:, start:stop]
                ),
                self._shards,
                cuts[:-1],
                cuts[1:],
            )
        )
        for shard in self._shards[1:]:
            for total, gradient in zip(self.gradients, shard.gradients, strict=True):
                total += gradient
        return sum(costs)

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown()


def _check_shapes(weights: Sequence[np.ndarray], images: np.ndarray, targets: np.ndarray) -> None:
    inputs, outputs = weights[0].shape[1] - 1, len(weights[-1])
    if images.ndim != 2 or images.shape[1] != inputs:
        raise ValueError(f"images {images.shape} for a network of {inputs} inputs")
    if targets.shape != (len(images), outputs):
        raise ValueError(
            f"targets {targets.shape}, expected {(len(images), outputs)}: a row an image, a column "
            "an output"
        )
    if len(images) == 0:
        raise ValueError("no images to train on")
