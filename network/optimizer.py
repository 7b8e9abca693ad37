"""How a gradient becomes a step: learning rate and its schedule, momentum, L2."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

_SCHEDULES: dict[str, Callable[[float], float]] = {  # share of the epochs done → factor
    "constant": lambda _: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}


@dataclass(frozen=True)
class Optimizer:
    """Gradient descent with momentum.

    With the gradient ∇J of the cost, each step is

        velocity  ←  momentum · velocity + learning rate · ∇J
        weights   ←  weights - velocity

    Attributes:
        learning_rate: length of a step as a multiple of the gradient, above 0.
        schedule: the learning rate over the epochs: `constant`, or `cosine`, which falls from
            `learning_rate` towards 0 along half a wave (Loshchilov and Hutter 2017).
        momentum: share of the last step that is kept in the next, 0 to below 1; 0 is plain
            gradient descent.
        l2: weight of the penalty on large weights, 0 or more; see `loss.py`.
    """

    learning_rate: float
    schedule: str = "constant"
    momentum: float = 0.0
    l2: float = 0.0

    def rate(self, done: float) -> float:
        """Return the learning rate after a share of the epochs, 0 … 1."""
        return self.learning_rate * _SCHEDULES[self.schedule](done)

    def step(
        self,
        weights: Sequence[np.ndarray],
        velocity: Sequence[np.ndarray],
        gradients: Sequence[np.ndarray],
        decays: Sequence[float | np.ndarray],
    ) -> None:
        """Take one step, changing weights and velocity in place.

        Sums beyond the number type become infinity or NaN, without a warning.

        Args:
            weights: one matrix a layer, (outputs, inputs + 1), bias in column 0.
            velocity: arrays of the same shapes; not used without momentum.
            gradients: of the cross-entropy, times the learning rate; overwritten.
            decays: for each layer learning rate · l2 / examples, times how often the network has
                its weights, a number or one for each input. Times the weights without their biases,
                it is the gradient of the penalty.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            for layer, last, gradient, decay in zip(
                weights, velocity, gradients, decays, strict=True
            ):
                if self.l2:
                    gradient[:, 1:] += decay * layer[:, 1:]
                if self.momentum:
                    last *= self.momentum
                    last += gradient
                    layer -= last
                else:
                    layer -= gradient
