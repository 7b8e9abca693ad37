"""The network as a function: images in, a probability for each class out."""

from collections.abc import Sequence

import numpy as np

from network.activations import ACTIVATIONS, sigmoid
from network.shifts import UNMOVED, Shifts, moved

CHUNK = 4096  # examples at a time, so that a million need no more memory than one chunk


@np.errstate(over="ignore", invalid="ignore")
def weighted_sums(
    weights: Sequence[np.ndarray],
    images: np.ndarray,
    activation: str = "sigmoid",
    shifts: Shifts = UNMOVED,
) -> np.ndarray:
    """Propagate images forward up to the output layer's sigmoid.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1), bias in column 0.
        images: (examples, inputs), about 0 … 1.
        activation: function of the hidden layers: sigmoid, tanh or relu.
        shifts: how each image is moved; the sums are the mean over all of these.

    Returns:
        (examples, outputs) weighted sums z; their sigmoid is the network's output.

    Raises:
        ValueError: the images do not have as many inputs as the first layer, or are moved and not
            square.
    """
    inputs = weights[0].shape[1] - 1
    if images.ndim != 2 or images.shape[1] != inputs:
        raise ValueError(f"images {images.shape} for a network of {inputs} inputs")
    images = images.astype(weights[0].dtype, copy=False)
    mean, *others = (_propagate(weights, moved(images, *by), activation) for by in shifts)
    for each in others:
        mean += each
    mean /= len(shifts)
    return mean


def _propagate(
    weights: Sequence[np.ndarray], layer_input: np.ndarray, activation: str
) -> np.ndarray:
    *hidden, last = weights
    for layer in hidden:
        layer_input = ACTIVATIONS[activation].apply(_layer_sums(layer, layer_input))
    return _layer_sums(last, layer_input)


def _layer_sums(layer: np.ndarray, layer_input: np.ndarray) -> np.ndarray:
    z: np.ndarray = layer_input @ layer[:, 1:].T
    z += layer[:, 0]
    return z


def predict(
    weights: Sequence[np.ndarray],
    images: np.ndarray,
    activation: str = "sigmoid",
    shifts: Shifts = UNMOVED,
) -> np.ndarray:
    """Return the probability of each class for each image, (examples, outputs).

    The outputs are separate sigmoids, so a row need not sum to 1; the largest is the prediction.
    Arguments and errors are those of `weighted_sums`.
    """
    probabilities = np.empty((len(images), len(weights[-1])), dtype=weights[0].dtype)
    for start in range(0, len(images), CHUNK):
        chunk = slice(start, start + CHUNK)
        probabilities[chunk] = sigmoid(weighted_sums(weights, images[chunk], activation, shifts))
    return probabilities
