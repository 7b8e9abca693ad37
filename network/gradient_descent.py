"""Gradient descent: step by step against the gradient of the cost, in batches.

The loop only: `backpropagation.py` has the gradient, `sharding.py` how two threads share it, and
`optimizer.py` the step.
"""

import math
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from network.augmented_images import Augment, AugmentedImages
from network.examples import Examples
from network.loss import penalty
from network.optimizer import Optimizer
from network.sharding import SMALLEST_SHARD, ShardedBackpropagation
from network.training_state import TrainingState

SMALLEST_SHARED_PRODUCT = 64  # examples; below this, two threads are no faster at it than one


class DivergenceError(ArithmeticError):
    """The cost stopped being a number: the steps are too long."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples: its number, from 1, and its cost."""

    number: int
    cost: float


def gradient_descent(
    state: TrainingState,
    examples: Examples,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int | None = None,
    activation: str = "sigmoid",
    augment: Augment | None = None,
) -> Generator[Epoch, None, None]:
    """Train a network, yielding after every epoch.

    The cost of an epoch is that of the weights each batch met, before its own step: for the full
    batch that is the cost before the epoch's one step, for mini-batches the mean on the way, and
    with `augment` the cost on the variants.

    Args:
        state: where the training is; changed in place, and up to date at every epoch's end.
        examples: what the network is trained on.
        optimizer: how a gradient becomes a step.
        epochs: number of the last epoch.
        batch_size: examples a step; None is all of them, in their own order.
        activation: function of the hidden layers: sigmoid, tanh or relu.
        augment: returns new variants of the images for every epoch, given them and a generator.
            It runs on a second thread while the network trains on the epoch before.

    Raises:
        ValueError: shapes that do not fit together.
        DivergenceError: the cost or a weight became infinite or not a number; with the epoch.
    """
    weights, rng = state.weights, state.rng
    _check_shapes(state, examples)
    trained = weights[state.frozen :]
    images, count = examples.images, len(examples)
    batch_size = min(batch_size or count, count)
    # One batch at a time: a copy of all images would cost as much as an epoch of large ones.
    inputs = np.ones((batch_size, images.shape[1] + 1), weights[0].dtype)  # column 0 is the bias's
    if full_batch := batch_size == count:
        inputs[:, 1:] = images
    targets = np.ascontiguousarray(examples.targets.T, weights[0].dtype)  # (outputs, examples)
    fixed_penalty = penalty(weights[: state.frozen], optimizer.l2, count)

    blas_threads = _blas_threads(batch_size, augment is not None)
    with threadpool_limits(blas_threads, user_api="blas"), ThreadPoolExecutor(2) as threads:
        backpropagate = ShardedBackpropagation(
            weights, batch_size, activation, threads, state.frozen
        )
        augmented = AugmentedImages(images, augment, rng, threads) if augment else None
        while state.epoch < epochs:
            rate = optimizer.rate(state.epoch / epochs)
            cost = 0.0
            if augmented:
                images = augmented.draw()
                if full_batch:
                    inputs[:, 1:] = images
            order = None if full_batch else rng.permutation(count)
            if augmented and state.epoch + 1 < epochs:
                augmented.draw_ahead()
            for start in range(0, count, batch_size):
                size = min(batch_size, count - start)
                batch = slice(None) if order is None else order[start : start + size]
                if not full_batch:
                    inputs[:size, 1:] = images[batch]
                cost += size * (fixed_penalty + penalty(trained, optimizer.l2, count))
                cost += backpropagate(weights, inputs[:size], targets[:, batch], rate / size)
                if not math.isfinite(cost):
                    raise DivergenceError(_advice(state, f"the cost became {cost}", optimizer))
                decay = rate * optimizer.l2 / count
                optimizer.step(trained, state.velocity, backpropagate.gradients, decay)
            # No cost is taken after the last step, which may be the one too long.
            if not all(np.isfinite(layer).all() for layer in trained):
                raise DivergenceError(_advice(state, "a weight became infinite", optimizer))
            state.epoch += 1
            yield Epoch(state.epoch, cost / count)


def _blas_threads(batch_size: int, augmented: bool) -> int:
    """Return how many threads share a matrix product, so that two are at work in all.

    Each shard of a large batch has one, and so has making variants during the training. It
    depends on the settings alone, never on the machine: the bits of a product depend on it.
    """
    shared = SMALLEST_SHARED_PRODUCT <= batch_size < 2 * SMALLEST_SHARD
    return 2 if shared and not augmented else 1


def _advice(state: TrainingState, finding: str, optimizer: Optimizer) -> str:
    shorter = f"lower `learning_rate` (now {optimizer.learning_rate:g})"
    if optimizer.momentum:
        shorter += f" or `momentum` (now {optimizer.momentum:g})"
    return f"epoch {state.epoch + 1}: {finding}. Training diverged: {shorter}."


def _check_shapes(state: TrainingState, examples: Examples) -> None:
    inputs, outputs = state.weights[0].shape[1] - 1, len(state.weights[-1])
    found = (examples.images.shape[1], examples.targets.shape[1])
    if found != (inputs, outputs):
        raise ValueError(
            f"images of {found[0]} inputs and targets of {found[1]} outputs for a network of "
            f"{inputs} inputs and {outputs} outputs"
        )
    if len(examples) == 0:
        raise ValueError("no images to train on")
