"""Activation functions, and their derivatives for back propagation.

Every function works in place on a block of numbers, because training calls them thousands of
times on buffers that it has already.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Replace z, floats of any shape, by 1 / (1 + e^-z), between 0 and 1, and return it."""
    # Far below 0 e^-z overflows to infinity, whose reciprocal is the right answer: 0.
    with np.errstate(over="ignore"):
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1.0
        np.divide(1.0, z, out=z)  # twice as fast as np.reciprocal
    return z


def _sigmoid_derivative(error: np.ndarray, activations: np.ndarray) -> None:
    error *= activations
    np.subtract(1.0, activations, out=activations)
    error *= activations


def _tanh(z: np.ndarray) -> np.ndarray:
    np.tanh(z, out=z)
    return z


def _tanh_derivative(error: np.ndarray, activations: np.ndarray) -> None:
    np.square(activations, out=activations)
    np.subtract(1.0, activations, out=activations)
    error *= activations


def _relu(z: np.ndarray) -> np.ndarray:
    np.maximum(z, 0.0, out=z)
    return z


def _relu_derivative(error: np.ndarray, activations: np.ndarray) -> None:
    # The derivative at exactly 0 is taken as 0.
    error *= activations > 0


@dataclass(frozen=True)
class Activation:
    """The function of a hidden layer, and its derivative.

    Attributes:
        apply: replaces weighted sums by activations, in place, and returns them.
        multiply_derivative: multiplies an error, in place, by the derivative at the given
            activations a, which it overwrites: a (1 - a), 1 - a², or 1 where a > 0.
    """

    apply: Callable[[np.ndarray], np.ndarray]
    multiply_derivative: Callable[[np.ndarray, np.ndarray], None]


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, _sigmoid_derivative),
    "tanh": Activation(_tanh, _tanh_derivative),
    "relu": Activation(_relu, _relu_derivative),
}
