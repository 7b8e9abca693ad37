"""Everything that changes while a network is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from network.convolution import Convolution, plain_matrices
from network.loss import Uses


@dataclass
class TrainingState:
    """A training between two epochs.

    Saved and loaded again, a training ends with the same bits as if it had never stopped.

    Attributes:
        weights: one matrix a layer, (outputs, inputs + 1), bias in column 0; of a convolutional
            layer its kernels. Their number type is that of the whole computation.
        velocity: each trained layer's last step, in the shape of its weights. Layers before those
            are frozen.
        rng: decides the order of the examples in mini-batches, and what their variants are.
        epoch: number of epochs done.
        convolutions: the first layers, as far as they are convolutional; these never change.
    """

    weights: list[np.ndarray]
    velocity: list[np.ndarray]
    rng: np.random.Generator
    epoch: int = 0
    convolutions: Sequence[Convolution] = ()

    @classmethod
    def begin(
        cls,
        weights: list[np.ndarray],
        rng: np.random.Generator,
        frozen: int = 0,
        convolutions: Sequence[Convolution] = (),
    ) -> Self:
        """Return the state before the first epoch: no step has been taken yet.

        Args:
            weights: one matrix a layer; training changes them in place.
            rng: source of all random numbers of the training.
            frozen: how many layers, from the first, keep their weights; fewer than there are.
            convolutions: the first layers, as far as they are convolutional.

        Raises:
            ValueError: no layer is left to train.
        """
        if not 0 <= frozen < len(weights):
            raise ValueError(
                f"{frozen} frozen layers of {len(weights)}: at least one must be trained"
            )
        velocity = [np.zeros_like(layer) for layer in weights[frozen:]]
        return cls(weights, velocity, rng, convolutions=convolutions)

    @property
    def frozen(self) -> int:
        """How many layers, from the first, keep their weights."""
        return len(self.weights) - len(self.velocity)

    @property
    def network(self) -> list[np.ndarray]:
        """The network as it is now, one matrix (outputs, inputs + 1) a layer."""
        return plain_matrices(self.weights, self.convolutions)

    @property
    def uses(self) -> list[Uses]:
        """How often the network has each weight of each layer: those of a kernel many times."""
        dense = len(self.weights) - len(self.convolutions)
        return [*(layer.uses for layer in self.convolutions), *[1] * dense]
