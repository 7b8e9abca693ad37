"""The gradient of the cross-entropy by back propagation.

With weights W, activations a, weighted sums z and targets y of layers 1 … L:

    forward      z_l = W_l · a_(l-1),  a_l = f(z_l),  a_L = sigmoid(z_L)
    error        δ_L = a_L - y,  δ_l = (W_(l+1)ᵀ · δ_(l+1)) ⊙ f'(z_l)
    gradient     ∂J/∂W_l = δ_l · a_(l-1)ᵀ

Everything is laid out as (features, examples), so that each line is one matrix product a layer.
Row 0 of the activations is all ones and meets the bias in column 0 of the weights; the same row
makes the bias's gradient part of the same product. Buffers are made once and used in every step.
Source: Nielsen, Neural Networks and Deep Learning, chapter 2.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from network.activations import ACTIVATIONS, sigmoid
from network.loss import cross_entropy


class Backpropagation:
    """Forward and back propagation for a fixed number of examples at most.

    Frozen layers only pass activations forward: the error is not propagated below the first layer
    that is trained, because nothing there would use it.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1).
        examples: most examples of a call.
        activation: function of the hidden layers.
        frozen: how many layers, from the first, are not trained; fewer than there are.

    Attributes:
        gradients: one array a trained layer in the shape of its weights, overwritten by every call.
    """

    def __init__(
        self, weights: Sequence[np.ndarray], examples: int, activation: str, frozen: int = 0
    ) -> None:
        dtype = weights[0].dtype
        self._activation = ACTIVATIONS[activation]
        self._activations = [  # one a hidden layer, (neurons + 1, examples), row 0 all ones
            np.ones((len(layer) + 1, examples), dtype) for layer in weights[:-1]
        ]
        self._outputs = np.empty((len(weights[-1]), examples), dtype)
        self._frozen = frozen
        self._errors = [  # one a trained hidden layer
            np.empty((len(layer), examples), dtype) for layer in weights[frozen:-1]
        ]
        self.gradients = [np.empty_like(layer) for layer in weights[frozen:]]

    def __call__(
        self,
        weights: Sequence[np.ndarray],
        images: np.ndarray,
        targets: np.ndarray,
        factor: float = 1.0,
    ) -> float:
        """Compute `gradients` and return the cross-entropy summed over the examples.

        The gradients are those of that sum times `factor`, which costs nothing here and a pass
        over all weights anywhere else. Sums beyond the number type become infinity or NaN in the
        result, without a warning.

        Args:
            weights: one matrix a layer, (outputs, inputs + 1).
            images: (examples, inputs + 1), column 0 all ones.
            targets: (outputs, examples), 1 for the right output, 0 for the others.
            factor: what the gradients are multiplied by.
        """
        examples = len(images)
        inputs = [images.T, *(layer[:, :examples] for layer in self._activations)]
        # Set here and not by the caller: each thread has error settings of its own.
        with np.errstate(over="ignore", invalid="ignore"):
            for layer, (before, after) in zip(weights, pairwise(inputs), strict=False):
                self._activation.apply(np.matmul(layer, before, out=after[1:]))
            z = np.matmul(weights[-1], inputs[-1], out=self._outputs[:, :examples])
            cost = cross_entropy(z, targets)

            error = sigmoid(z)
            error -= targets  # the derivative of the cross-entropy with respect to z
            error *= factor
            trained, inputs = weights[self._frozen :], inputs[self._frozen :]
            for number in reversed(range(len(trained))):
                np.matmul(error, inputs[number].T, out=self.gradients[number])
                if number > 0:
                    error_before = self._errors[number - 1][:, :examples]
                    np.matmul(trained[number][:, 1:].T, error, out=error_before)
                    self._activation.multiply_derivative(error_before, inputs[number][1:])
                    error = error_before
        return cost
