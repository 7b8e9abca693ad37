"""Gradient descent: step by step against the gradient of the cost, in batches.

The loop only: `epoch_plan.py` draws what is random in an epoch and `optimizer.py` has the step. The
gradient of a batch comes from `batch_gradient.py`, which has the examples in this process, or from
`partitions.py`, which has them anywhere.
"""

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee

import numpy as np
from threadpoolctl import threadpool_limits

from network.batch_gradient import BatchGradient, GradientSettings, batch_gradient
from network.epoch_plan import EpochPlan, plan_epochs
from network.examples import Examples
from network.loss import penalty
from network.optimizer import Optimizer
from network.partitions import Compute, PartitionedGradient
from network.training_state import TrainingState


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
    threads: int = 2,
) -> Generator[Epoch, None, None]:
    """Train a network, yielding after every epoch.

    The cost of an epoch is that of the weights each batch met, before its own step: for the full
    batch that is the cost before the epoch's one step, for mini-batches the mean on the way, and
    of augmented examples that of the variants.

    Memory holds a few blocks of the examples and not all of them; a batch larger than a block is
    computed block by block.

    Args:
        state: where the training is; changed in place, and up to date at every epoch's end.
        examples: what the network is trained on.
        optimizer: how a gradient becomes a step.
        epochs: number of the last epoch.
        batch_size: examples a step; None is all of them, in their own order.
        activation: function of the hidden layers: sigmoid, tanh or relu.
        threads: how many are at work at once, 1 or more; on shards of a large batch, on a matrix
            product, on the blocks to come. The last digits of a sum depend on it.

    Raises:
        ValueError: shapes that do not fit together.
        DivergenceError: the cost or a weight became infinite or not a number; with the epoch.
    """
    _check_shapes(state, examples)
    count, augmented = len(examples), examples.augment is not None
    batch_size = min(batch_size or count, count)
    plans, ahead = _plans(state, epochs, count, batch_size, augmented=augmented)
    settings = GradientSettings(activation, threads, state.frozen, state.convolutions)
    with batch_gradient(state.weights, examples, ahead, batch_size, settings) as gradient:
        yield from _descend(state, plans, gradient, optimizer, epochs, count, batch_size)


def partitioned_gradient_descent(
    state: TrainingState,
    partitions: Sequence[slice],
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int | None = None,
    compute: Compute,
) -> Generator[Epoch, None, None]:
    """Train a network as `gradient_descent` does, on partitions of the examples kept elsewhere.

    Args:
        state: as there.
        partitions: the rows of each, one after the other from 0.
        optimizer: as there.
        epochs: as there.
        batch_size: as there.
        compute: gives the gradient of a batch, summed over the partitions.

    Raises:
        DivergenceError: as there.
    """
    count = partitions[-1].stop
    batch_size = min(batch_size or count, count)
    plans, ahead = _plans(state, epochs, count, batch_size, augmented=False)
    gradient = PartitionedGradient(partitions, ahead, compute)
    # The bits of the penalty's sum depend on the threads, too.
    with threadpool_limits(1, user_api="blas"):
        yield from _descend(state, plans, gradient, optimizer, epochs, count, batch_size)


def _plans(
    state: TrainingState, epochs: int, examples: int, batch_size: int, *, augmented: bool
) -> tuple[Iterator[EpochPlan], Iterator[EpochPlan]]:
    """Return the plans of the epochs left twice: for the training, and for what runs ahead."""
    plans = plan_epochs(
        state.rng,
        epochs - state.epoch,
        examples,
        shuffled=batch_size < examples,
        augmented=augmented,
    )
    first, second = tee(plans)
    return first, second


def _descend(
    state: TrainingState,
    plans: Iterable[EpochPlan],
    gradient: BatchGradient | PartitionedGradient,
    optimizer: Optimizer,
    epochs: int,
    count: int,
    batch_size: int,
) -> Generator[Epoch, None, None]:
    """Take the steps of the epochs planned, wherever the gradient of a batch is computed."""
    weights, trained = state.weights, state.weights[state.frozen :]
    fixed_uses, uses = state.uses[: state.frozen], state.uses[state.frozen :]
    fixed_penalty = penalty(weights[: state.frozen], optimizer.l2, count, fixed_uses)
    for plan in plans:
        rate = optimizer.rate(state.epoch / epochs)
        cost = 0.0
        for start in range(0, count, batch_size):
            size = min(batch_size, count - start)
            cost += size * (fixed_penalty + penalty(trained, optimizer.l2, count, uses))
            cost += gradient(weights, size, rate / size)
            if not math.isfinite(cost):
                raise DivergenceError(_advice(state, f"the cost became {cost}", optimizer))
            decays = [rate * optimizer.l2 / count * times for times in uses]
            optimizer.step(trained, state.velocity, gradient.gradients, decays)
        # No cost is taken after the last step, which may be the one too long.
        if not all(np.isfinite(layer).all() for layer in trained):
            raise DivergenceError(_advice(state, "a weight became infinite", optimizer))
        state.rng.bit_generator.state = plan.rng_state
        state.epoch += 1
        yield Epoch(state.epoch, cost / count)


def _advice(state: TrainingState, finding: str, optimizer: Optimizer) -> str:
    shorter = f"lower `learning_rate` (now {optimizer.learning_rate:g})"
    if optimizer.momentum:
        shorter += f" or `momentum` (now {optimizer.momentum:g})"
    return f"epoch {state.epoch + 1}: {finding}. Training diverged: {shorter}."


def _check_shapes(state: TrainingState, examples: Examples) -> None:
    first = state.convolutions[0].inputs if state.convolutions else state.weights[0].shape[1] - 1
    inputs, outputs = first, len(state.weights[-1])
    found = (examples.images.shape[1], examples.targets.shape[1])
    if found != (inputs, outputs):
        raise ValueError(
            f"images of {found[0]} inputs and targets of {found[1]} outputs for a network of "
            f"{inputs} inputs and {outputs} outputs"
        )
    if len(examples) == 0:
        raise ValueError("no images to train on")
