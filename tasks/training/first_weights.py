"""The weights a training starts from: random ones, or those of a network trained before.

A digit's strokes are those of other digits and of letters too, so what the first layers have learnt
is worth keeping even where the outputs mean something else. Source: Yosinski, Clune, Bengio and
Lipson 2014, How transferable are features in deep neural networks?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from pydantic import BaseModel, ConfigDict

from network.convolution import Convolution
from network.ensemble import split
from network.initialization import initial_weights
from network.weights import load_weights
from tasks.cache.store import SourceFile
from tasks.errors import InputError
from tasks.training.settings import TrainingSettings


@dataclass(frozen=True)
class Pretrained:
    """A network trained before, for another training to start from.

    Attributes:
        weights: one matrix a layer, (outputs, inputs + 1).
        new_outputs: whether its last layer is drawn at random even though it fits, because its
            outputs mean something else.
        member: which network of an ensemble is to be trained, from 0. If the pretrained network is
            an ensemble of such networks it starts from that member, counted round.
    """

    weights: Sequence[np.ndarray]
    new_outputs: bool = False
    member: int = 0


class InitialNetwork(BaseModel):
    """The file of a pretrained network, and whether its last layer is drawn at random."""

    model_config = ConfigDict(frozen=True)

    weights: SourceFile
    new_outputs: bool

    @property
    def from_anywhere(self) -> "InitialNetwork":
        """The same file by its absolute path, for a process with another working directory."""
        at = self.weights.model_copy(update={"path": self.weights.path.resolve()})
        return self.model_copy(update={"weights": at})

    def load(self, member: int = 0) -> Pretrained:
        """Read the network, for a member of an ensemble to start from.

        Raises:
            WeightsError: the file changed since its digest was taken, or is not a list of matrices.
        """
        weights = load_weights(self.weights.path, self.weights.sha256)
        return Pretrained(weights, self.new_outputs, member)


def first_weights(
    sizes: Sequence[int],
    training: TrainingSettings,
    rng: np.random.Generator,
    pretrained: Pretrained | None,
    convolutions: Sequence[Convolution] = (),
) -> list[np.ndarray]:
    """Return the weights before training, in the training's number type.

    Args:
        sizes: inputs, neurons of each hidden layer, outputs.
        training: how random weights are drawn.
        rng: their source.
        pretrained: the network to start from, which is left as it is. Where only its number of
            outputs differs, its last layer is drawn at random and the others are kept. None draws
            all layers.
        convolutions: the first layers, as far as they are convolutional.

    Returns:
        One matrix a layer, (outputs, inputs + 1); of a convolutional layer its kernels.

    Raises:
        InputError: the pretrained network's inputs or hidden layers differ from the sizes, or it
            is not convolutional.
    """
    drawn = {"initialization": training.initialization, "dtype": training.dtype}
    if pretrained is None:
        pairs = [(layer.weights_per_kernel, layer.maps) for layer in convolutions]
        pairs += pairwise(sizes[len(convolutions) :])
        return [layer for pair in pairs for layer in initial_weights(pair, rng, **drawn)]
    given = _member(pretrained, sizes)
    theirs = [given[0].shape[1] - 1, *(len(layer) for layer in given)]
    if theirs[:-1] != list(sizes[:-1]):
        raise InputError(
            f"the initial weights are of a network {_shape(theirs)}, but {_shape(sizes)} is to be "
            f"trained. {_remedy(theirs, sizes, bool(convolutions))} or other `initial_weights`."
        )
    try:
        kernels = [
            layer.kernels(matrix) for layer, matrix in zip(convolutions, given, strict=False)
        ]
    except ValueError as error:
        raise InputError(
            f"the first layers of the initial weights are not convolutional: {error}. Give an "
            "empty `convolutions`, or other `initial_weights`."
        ) from error
    dense = given[len(convolutions) :]
    weights = [layer.astype(training.dtype) for layer in (*kernels, *dense)]
    if pretrained.new_outputs or theirs[-1] != sizes[-1]:
        weights[-1:] = initial_weights(sizes[-2:], rng, **drawn)
    return weights


def _member(pretrained: Pretrained, sizes: Sequence[int]) -> Sequence[np.ndarray]:
    """Return the pretrained network, or its member if it is an ensemble of networks to be trained.

    An ensemble's hidden layers are all the same number of times as wide.
    """
    weights, hidden = pretrained.weights, sizes[1:-1]
    count = len(weights[0]) // hidden[0] if hidden else 1
    if count < 2 or [len(layer) for layer in weights[:-1]] != [count * size for size in hidden]:
        return weights
    try:
        return split(weights, count)[pretrained.member % count]
    except ValueError:  # a network of wider layers
        return weights


def _shape(sizes: Sequence[int]) -> str:
    return " → ".join(map(str, sizes))


def _remedy(theirs: Sequence[int], sizes: Sequence[int], convolutional: bool) -> str:
    if theirs[0] != sizes[0]:
        return f"Give images of {theirs[0]} pixels, not {sizes[0]},"
    hidden = " ".join(map(str, theirs[1:-1]))
    remedy = f"`hidden_layers` {hidden}" if hidden else "an empty `hidden_layers`"
    return f"Give an empty `convolutions` and {remedy}" if convolutional else f"Give {remedy}"
