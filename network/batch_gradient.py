"""The gradient of one batch after the other, from blocks of examples in this process's memory."""

from collections.abc import Iterator, Sequence

import numpy as np

from network.blocks import Block
from network.sharding import ShardedBackpropagation, add


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
        cost, left, self.gradients = 0.0, examples, self._backpropagate.gradients
        while left:
            if self._block is None:
                self._block, self._done = next(self._blocks), 0
            part = slice(self._done, self._done + left)
            inputs, targets = self._block.inputs[part], self._block.targets[:, part]
            if left < examples and self.gradients is self._backpropagate.gradients:
                self.gradients = [layer.copy() for layer in self.gradients]
            cost += self._backpropagate(weights, inputs, targets, factor)
            if left < examples:
                add(self.gradients, self._backpropagate.gradients)
            left -= len(inputs)
            self._done = part.start + len(inputs)
            if self._done == len(self._block.inputs):
                self._block = None
        return cost
