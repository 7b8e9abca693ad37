"""The cost: how wrong the network is. It is defined here and nowhere else.

With outputs a = sigmoid(z), targets y (one output is 1, the others 0), m training examples and
weights W without their biases:

    J  =  1/m · Σ_examples Σ_outputs [ -y log a - (1 - y) log(1 - a) ]  +  l2 / (2 m) · Σ W²

The first part is the binary cross-entropy, summed over the outputs and averaged over the
examples; its derivative with respect to z is simply a - y. Source: Nielsen, Neural Networks and
Deep Learning, chapter 3.
"""

from collections.abc import Sequence

import numpy as np

Uses = int | np.ndarray  # how often a layer's weights count: one number, or one each, (inputs,)


def cross_entropy(z: np.ndarray, targets: np.ndarray) -> float:
    """Return the binary cross-entropy summed over all outputs of all examples.

    Since -log a = log(1 + e^-z) and -log(1 - a) = z + log(1 + e^-z), the sum is taken of
    max(z, 0) - y z + log(1 + e^-|z|), which neither overflows nor takes the logarithm of 0.

    Args:
        z: weighted sums of the output layer, before the sigmoid, any shape.
        targets: 1 for the right output, 0 for the others, the same shape.

    Raises:
        ValueError: the shapes differ; NumPy would broadcast one of them silently.
    """
    if z.shape != targets.shape:
        raise ValueError(f"outputs {z.shape} and targets {targets.shape} differ in shape")
    costs = np.abs(z)
    np.negative(costs, out=costs)
    np.exp(costs, out=costs)
    costs += 1.0
    np.log(costs, out=costs)
    costs += np.maximum(z, 0.0)
    costs -= z * targets
    return float(costs.sum(dtype=np.float64))


def penalty(
    weights: Sequence[np.ndarray], l2: float, examples: int, uses: Sequence[Uses] | None = None
) -> float:
    """Return the L2 part of the cost, l2 / (2 m) · Σ W², biases left out.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1), bias in column 0.
        l2: weight of the penalty, 0 or more.
        examples: number of training examples, m.
        uses: how often each weight counts, because the network has it so often; None is once.
    """
    if l2 == 0:
        return 0.0
    squares = sum(map(_squares, weights, uses or [1] * len(weights)))
    return l2 / (2 * examples) * squares


def _squares(layer: np.ndarray, uses: Uses) -> float:
    if isinstance(uses, np.ndarray):
        return float(np.vdot(layer[:, 1:], uses * layer[:, 1:]))
    # All squares less those of the biases: the whole matrix is summed without a copy.
    return uses * (float(np.vdot(layer, layer)) - float(np.vdot(layer[:, 0], layer[:, 0])))
