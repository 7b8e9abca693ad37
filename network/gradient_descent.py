"""Gradient descent: step by step against the gradient of the cost, in batches, with momentum.

The loop only; `backpropagation.py` has the gradient and `sharding.py` how two threads share it.
"""

import math
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from network.altered_images import AlteredImages, Augment
from network.loss import penalty
from network.sharding import SMALLEST_SHARD, ShardedBackpropagation

SMALLEST_SHARED_PRODUCT = 64  # examples; below this, two threads are no faster at it than one


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
    schedule: str = "constant",
    augment: Augment | None = None,
    frozen: int = 0,
    velocity: Sequence[np.ndarray] | None = None,
    first_epoch: int = 1,
) -> Generator[Epoch, None, None]:
    """Train the weights in place, yielding after every epoch.

    The velocity of a weight is `momentum` times its last one plus the learning rate times its
    gradient, and is taken from the weight. Weights, velocity, the state of `rng` and the epoch's
    number are the whole state of a training: given again, it goes on as if it had never stopped.

    The cost of an epoch is that of the weights each batch met, before its own step: for the full
    batch that is the cost before the epoch's one step, for mini-batches the mean on the way, and
    with `augment` the cost on the altered images.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1), bias in column 0; changed in place.
            Their number type is that of the whole computation.
        images: (examples, inputs), about 0 … 1.
        targets: (examples, outputs), 1 for the right output, 0 for the others.
        learning_rate: length of a step as a multiple of the gradient, above 0.
        l2: weight of the penalty on large weights, 0 or more; see `network.loss`.
        epochs: number of the last epoch.
        rng: decides the order of the examples in mini-batches, and what `augment` draws; not used
            for the full batch without `augment`.
        activation: function of the hidden layers: sigmoid, tanh or relu.
        batch_size: examples a step; None is all of them.
        momentum: share of the last step kept in the next, 0 … 1; 0 is plain gradient descent.
        schedule: the learning rate over the epochs: `constant`, or `cosine`, which falls from
            `learning_rate` towards 0 along half a wave (Loshchilov and Hutter 2017).
        augment: alters the images anew for every epoch, given them and a generator. It runs on a
            second thread while the network trains on the epoch before.
        frozen: how many layers, from the first, keep their weights; fewer than there are.
        velocity: arrays in the shapes of the trained layers, changed in place; by default zeros.
        first_epoch: number of the first epoch, from 1.

    Raises:
        ValueError: shapes that do not fit together, or no layer left to train.
        DivergenceError: the cost or a weight became infinite or not a number; with the epoch.
    """
    _check_shapes(weights, images, targets)
    if not 0 <= frozen < len(weights):
        raise ValueError(f"{frozen} frozen layers of {len(weights)}: at least one must be trained")
    trained = weights[frozen:]
    examples = len(images)
    batch_size = min(batch_size or examples, examples)
    velocity = [np.zeros_like(layer) for layer in trained] if velocity is None else velocity
    # One batch at a time: a copy of all images would cost as much as an epoch of large ones.
    inputs = np.ones((batch_size, images.shape[1] + 1), weights[0].dtype)  # column 0 is the bias's
    if full_batch := batch_size == examples:
        inputs[:, 1:] = images
    columns = np.ascontiguousarray(targets.T, weights[0].dtype)  # (outputs, examples)
    fixed_penalty = penalty(weights[:frozen], l2, examples)

    blas_threads = _blas_threads(batch_size, augment is not None)
    with threadpool_limits(blas_threads, user_api="blas"), ThreadPoolExecutor(2) as threads:
        backpropagate = ShardedBackpropagation(weights, batch_size, activation, threads, frozen)
        altered = AlteredImages(images, augment, rng, threads) if augment else None
        for number in range(first_epoch, epochs + 1):
            rate = learning_rate * _SCHEDULES[schedule]((number - 1) / epochs)
            cost = 0.0
            if altered:
                images = altered.draw()
                if full_batch:
                    inputs[:, 1:] = images
            order = None if full_batch else rng.permutation(examples)
            if altered and number < epochs:
                altered.draw_ahead()
            for start in range(0, examples, batch_size):
                size = min(batch_size, examples - start)
                batch = slice(None) if order is None else order[start : start + size]
                if not full_batch:
                    inputs[:size, 1:] = images[batch]
                cost += size * (fixed_penalty + penalty(trained, l2, examples))
                cost += backpropagate(weights, inputs[:size], columns[:, batch], rate / size)
                if not math.isfinite(cost):
                    raise DivergenceError(
                        _advice(number, f"the cost became {cost}", learning_rate, momentum)
                    )
                _step(trained, backpropagate.gradients, velocity, momentum, rate * l2 / examples)
            # No cost is taken after the last step, which may be the one too long.
            if not all(np.isfinite(layer).all() for layer in trained):
                raise DivergenceError(
                    _advice(number, "a weight became infinite", learning_rate, momentum)
                )
            yield Epoch(number, cost / examples)


_SCHEDULES: dict[str, Callable[[float], float]] = {  # share of the epochs gone by → factor
    "constant": lambda _: 1.0,
    "cosine": lambda progress: (1 + math.cos(math.pi * progress)) / 2,
}


def _blas_threads(batch_size: int, augmented: bool) -> int:
    """Return how many threads share a matrix product, so that two are at work in all.

    Each shard of a large batch has one, and so has altering the images beside the training. It is
    a matter of the settings, never of the machine: the bits of a product depend on it.
    """
    shared = SMALLEST_SHARED_PRODUCT <= batch_size < 2 * SMALLEST_SHARD
    return 2 if shared and not augmented else 1


def _step(
    weights: Sequence[np.ndarray],
    gradients: Sequence[np.ndarray],  # times the learning rate; spoilt
    velocity: Sequence[np.ndarray],
    momentum: float,
    decay: float,
) -> None:
    """Take one step; the penalty's gradient is `decay` times the weights without the biases."""
    with np.errstate(over="ignore", invalid="ignore"):  # told as divergence by the next cost
        for layer, gradient, step in zip(weights, gradients, velocity, strict=True):
            if decay:
                gradient[:, 1:] += decay * layer[:, 1:]
            if momentum:
                step *= momentum
                step += gradient
                layer -= step
            else:
                layer -= gradient


def _advice(epoch: int, finding: str, learning_rate: float, momentum: float) -> str:
    return (
        f"epoch {epoch}: {finding}. Training diverged: lower --learning-rate (now "
        f"{learning_rate:g})" + (f" or --momentum (now {momentum:g})." if momentum else ".")
    )


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
