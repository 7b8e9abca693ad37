"""The weights before training.

Equal neurons get equal gradients and would stay equal, so the weights start random. Their size
decides whether signals and gradients keep theirs from layer to layer: Glorot for sigmoid and tanh,
He for ReLU.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

CLASSIC_LIMIT = 0.01


def _uniform(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    return rng.uniform(-CLASSIC_LIMIT, CLASSIC_LIMIT, (outputs, inputs + 1))


def _glorot(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    limit = math.sqrt(6 / (inputs + outputs))
    return _with_zero_biases(rng.uniform(-limit, limit, (outputs, inputs)))


def _he(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    return _with_zero_biases(rng.normal(0, math.sqrt(2 / inputs), (outputs, inputs)))


def _with_zero_biases(layer: np.ndarray) -> np.ndarray:
    return np.insert(layer, 0, 0.0, axis=1)


INITIALIZATIONS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "uniform": _uniform,
    "glorot": _glorot,
    "he": _he,
}


def initial_weights(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    initialization: str = "uniform",
    dtype: DTypeLike = np.float32,
) -> list[np.ndarray]:
    """Return random weights for a network of the given sizes.

    Args:
        sizes: neurons a layer, from the inputs to the outputs, at least two numbers.
        rng: source of the numbers.
        initialization: `uniform` draws evenly from ±0.01, biases too; `glorot` evenly from
            ±√(6 / (inputs + outputs)); `he` normally with deviation √(2 / inputs). The biases of
            the last two start at 0.
        dtype: number type of the weights, and so of all training: float32 or float64.

    Returns:
        One matrix a layer, (outputs, inputs + 1), bias in column 0.

    Source: Glorot and Bengio 2010, equation 16; He, Zhang, Ren and Sun 2015, equation 10.
    """
    draw = INITIALIZATIONS[initialization]
    return [draw(rng, inputs, outputs).astype(dtype) for inputs, outputs in pairwise(sizes)]
