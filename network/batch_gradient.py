"""The gradient of one batch after the other, from blocks of examples in this process's memory."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from network.blocks import Block, blocks, rows_in_block, rows_in_cache
from network.convolution import Convolution
from network.epoch_plan import EpochPlan
from network.examples import Examples
from network.sharding import SMALLEST_SHARD, ShardedBackpropagation, add, number_of_shards

SMALLEST_SHARED_PRODUCT = 64  # examples; below this, more threads are no faster than one


@dataclass(frozen=True)
class GradientSettings:
    """How the gradient of a batch is computed in one process.

    Attributes:
        activation: function of the hidden layers: sigmoid, tanh or relu.
        threads: how many are at work at once, 1 or more; on shards of a large batch, on a matrix
            product, on the blocks to come. The last digits of a sum depend on it.
        frozen: how many layers, from the first, are not trained.
        convolutions: the first layers, as far as they are convolutional.
    """

    activation: str
    threads: int
    frozen: int = 0
    convolutions: Sequence[Convolution] = ()


class BatchGradient:
    """Cost and gradient of the next batch, summed over the blocks that it reaches into.

    A batch larger than a block so needs no more memory than one.

    Args:
        blocks: the examples, in the order of the batches.
        backpropagate: gives the gradient of a block or of a part of one.

    Attributes:
        gradients: one array a trained layer in the shape of its weights; the next call overwrites
            them.
    """

    def __init__(self, blocks: Iterator[Block], backpropagate: ShardedBackpropagation) -> None:
        self._blocks, self._backpropagate = blocks, backpropagate
        self._block: Block | None = None
        self._done = 0  # examples of the block
        self.gradients: Sequence[np.ndarray] = backpropagate.gradients

    def __call__(self, weights: Sequence[np.ndarray], examples: int, factor: float) -> float:
        """Compute `gradients` of the next examples, times `factor`; return their cross-entropy.

        Args:
            weights: one matrix a layer, (outputs, inputs + 1).
            examples: how many are in the batch.
            factor: what the gradients are multiplied by.
        """
        cost = 0.0
        for number, (inputs, targets) in enumerate(self._parts(examples)):
            if number == 1:  # the sum needs arrays of its own
                self.gradients = [layer.copy() for layer in self.gradients]
            cost += self._backpropagate(weights, inputs, targets, factor)
            if number == 0:
                self.gradients = self._backpropagate.gradients
            else:
                add(self.gradients, self._backpropagate.gradients)
        return cost

    def _parts(self, examples: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield inputs and targets of the next examples, what one block has of them at a time."""
        while examples:
            if self._block is None:
                self._block, self._done = next(self._blocks), 0
            part = slice(self._done, min(self._done + examples, len(self._block.inputs)))
            yield self._block.inputs[part], self._block.targets[:, part]
            examples -= part.stop - part.start
            self._done = part.stop
            if self._done == len(self._block.inputs):
                self._block = None


@contextmanager
def batch_gradient(
    weights: Sequence[np.ndarray],
    examples: Examples,
    plans: Iterable[EpochPlan],
    batch_size: int,
    settings: GradientSettings,
) -> Iterator[BatchGradient]:
    """Yield what computes the gradient of one batch after the other, on threads of its own.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1), of a convolutional layer its kernels;
            the values may differ later.
        examples: what the batches are made of.
        plans: each epoch's order of the examples, and its seed of the variants.
        batch_size: examples in a batch at most.
        settings: how it is computed.
    """
    layers = settings.convolutions
    widths = [*(layer.width for layer in layers), *map(len, weights[len(layers) :])]
    rows = rows_in_block([examples.images.shape[1], *widths])
    at_once, threads = min(batch_size, rows), settings.threads
    augmented = examples.augment is not None
    shards = number_of_shards(at_once, threads)
    if augmented:
        depth = threads - 1  # variants may take longer to make than to train on
    else:
        depth = min(1, shards - 1)  # the short steps of smaller batches would wait for a thread
        rows = rows_in_cache(rows, batch_size, examples.images.shape[1])
    with (
        threadpool_limits(_blas_threads(at_once, augmented, threads), user_api="blas"),
        ThreadPoolExecutor(max(1, shards - 1 + depth)) as executor,
    ):
        yield BatchGradient(
            blocks(examples, plans, rows, weights[0].dtype, executor, depth),
            ShardedBackpropagation(
                weights, at_once, settings.activation, executor, shards, settings.frozen, layers
            ),
        )


def threads_at_work(batch_size: int | None, augmented: bool, threads: int) -> int:
    """Return how many threads `batch_gradient` keeps at work, 1 to `threads`.

    Args:
        batch_size: examples in a batch; None for all of them.
        augmented: whether the examples are altered during the training.
        threads: how many may be at work.
    """
    if augmented or batch_size is None:
        return threads
    shards = number_of_shards(batch_size, threads)
    return max(shards, _blas_threads(batch_size, augmented, threads))


def _blas_threads(examples: int, augmented: bool, threads: int) -> int:
    """Return how many threads share a matrix product, so that `threads` are at work in all.

    Each shard of a large batch has one, and so has making variants during the training. It
    depends on the settings alone, never on the machine: the bits of a product depend on it.
    """
    shared = SMALLEST_SHARED_PRODUCT <= examples < 2 * SMALLEST_SHARD
    return max(1, threads - augmented) if shared else 1
