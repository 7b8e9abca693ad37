"""The gradient of the cross-entropy by back propagation.

With weights W, activations a, weighted sums z and targets y of layers 1 … L, and the cross-entropy
C summed over the examples:

    forward      z_l = W_l · a_(l-1),  a_l = g(z_l),  a_L = sigmoid(z_L)
    error        δ_L = a_L - y,  δ_l = (W_(l+1)ᵀ · δ_(l+1)) ⊙ g'(z_l)
    gradient     ∂C/∂W_l = δ_l · a_(l-1)ᵀ

Everything is laid out as (features, examples), so that each line is one matrix product a layer.
Row 0 of the activations is all ones and meets the bias in column 0 of the weights; the same row
makes the bias's gradient part of the same product. Of a convolutional layer W_l are its kernels and
a_(l-1) what they see at every place. Buffers are made once and used in every step.
Source: Nielsen, Neural Networks and Deep Learning, chapter 2.
"""

from collections.abc import Sequence

import numpy as np

from network.activations import ACTIVATIONS, sigmoid
from network.convolution import Convolution
from network.loss import cross_entropy

_FEW_NEURONS = 64


class Backpropagation:
    """Forward and back propagation for a fixed number of examples at most.

    Frozen layers only pass activations forward: the error is not propagated below the first layer
    that is trained, because nothing there would use it.

    Args:
        weights: one matrix a layer, (outputs, inputs + 1); of a convolutional layer its kernels.
        examples: most examples of a call.
        activation: function of the hidden layers.
        frozen: how many layers, from the first, are not trained; fewer than there are.
        convolutions: the first layers, as far as they are convolutional.

    Attributes:
        gradients: one array a trained layer in the shape of its weights, overwritten by every call.
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        examples: int,
        activation: str,
        frozen: int = 0,
        convolutions: Sequence[Convolution] = (),
    ) -> None:
        dtype = weights[0].dtype
        # The same sums transposed take OpenBLAS a sixth less, if the neurons are few.
        self._images_first = len(weights[0]) <= _FEW_NEURONS and dtype == np.float32
        self._convolutions = convolutions
        self._activation = ACTIVATIONS[activation]
        neurons = [layer.outputs for layer in convolutions]
        neurons += [len(layer) for layer in weights[len(convolutions) : -1]]
        self._activations = [  # one a hidden layer, (neurons + 1, examples), row 0 all ones
            np.ones((count + 1, examples), dtype) for count in neurons
        ]
        self._outputs = np.empty((len(weights[-1]), examples), dtype)
        self._frozen = frozen
        self._errors = [  # one a trained hidden layer
            np.empty((count, examples), dtype) for count in neurons[frozen:]
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
            weights: as at first; the values may differ.
            images: (examples, inputs + 1), column 0 all ones.
            targets: (outputs, examples), 1 for the right output, 0 for the others.
            factor: what the gradients are multiplied by.
        """
        examples = len(images)
        inputs = [images.T, *(layer[:, :examples] for layer in self._activations)]
        seen = list(inputs)  # by each neuron of a layer, or by each kernel at all its places
        # Set here and not by the caller: each thread has error settings of its own.
        with np.errstate(over="ignore", invalid="ignore"):
            for number, layer in enumerate(weights[:-1]):
                z = inputs[number + 1][1:]
                if number < len(self._convolutions):
                    seen[number] = self._convolutions[number].patches(inputs[number])
                    z[:] = (layer @ seen[number]).reshape(z.shape)
                elif number == 0 and self._images_first:
                    z[:] = (images @ layer.T).T
                else:
                    np.matmul(layer, inputs[number], out=z)
                self._activation.apply(z)
            z = np.matmul(weights[-1], inputs[-1], out=self._outputs[:, :examples])
            cost = cross_entropy(z, targets)

            error = sigmoid(z)
            error -= targets  # the derivative of the cross-entropy with respect to z
            error *= factor
            for number in reversed(range(self._frozen, len(weights))):
                layer, gradient = weights[number], self.gradients[number - self._frozen]
                np.matmul(error.reshape(len(layer), -1), seen[number].T, out=gradient)
                if number > self._frozen:
                    error_before = self._errors[number - self._frozen - 1][:, :examples]
                    if number < len(self._convolutions):
                        error_before[:] = self._convolutions[number].error_before(layer, error)
                    else:
                        np.matmul(layer[:, 1:].T, error, out=error_before)
                    self._activation.multiply_derivative(error_before, inputs[number][1:])
                    error = error_before
        return cost
