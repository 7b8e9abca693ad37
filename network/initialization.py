"""The weights before training.

Equal weights would stay equal for ever, since equal neurons get equal gradients; so they start
random.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike


def initial_weights(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    limit: float = 0.01,
    dtype: DTypeLike = np.float32,
) -> list[np.ndarray]:
    """Return weights drawn evenly from ±limit, biases too.

    Args:
        sizes: neurons a layer, from the inputs to the outputs, at least two numbers.
        rng: source of the numbers.
        limit: largest absolute weight.
        dtype: number type of the weights, and so of all training.

    Returns:
        One matrix a layer, (outputs, inputs + 1), bias in column 0.
    """
    return [
        rng.uniform(-limit, limit, (outputs, inputs + 1)).astype(dtype)
        for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True)
    ]
