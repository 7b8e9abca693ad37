"""The weights a training starts from: random ones, or those of a network trained before.

A digit's strokes are those of other digits and of letters too, so what the first layers have learnt
is worth keeping even where the outputs mean something else. Source: Yosinski, Clune, Bengio and
Lipson 2014, How transferable are features in deep neural networks?
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

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
    """

    weights: Sequence[np.ndarray]
    new_outputs: bool = False


class InitialNetwork(BaseModel):
    """The file of a pretrained network; the attributes are those of `Pretrained`."""

    model_config = ConfigDict(frozen=True)

    weights: SourceFile
    new_outputs: bool

    def load(self) -> Pretrained:
        """Read the network.

        Raises:
            WeightsError: the file changed since its digest was taken, or is not a list of matrices.
        """
        return Pretrained(load_weights(self.weights.path, self.weights.sha256), self.new_outputs)


def first_weights(
    sizes: Sequence[int],
    training: TrainingSettings,
    rng: np.random.Generator,
    pretrained: Pretrained | None,
) -> list[np.ndarray]:
    """Return the weights before training, in the training's number type.

    Args:
        sizes: inputs, neurons of each hidden layer, outputs.
        training: how random weights are drawn.
        rng: their source.
        pretrained: the network to start from, which is left as it is. Where only its number of
            outputs differs, its last layer is drawn at random and the others are kept. None draws
            all layers.

    Returns:
        One matrix a layer, (outputs, inputs + 1).

    Raises:
        InputError: the pretrained network's inputs or hidden layers differ from the sizes.
    """
    drawn = {"initialization": training.initialization, "dtype": training.dtype}
    if pretrained is None:
        return initial_weights(sizes, rng, **drawn)
    theirs = [pretrained.weights[0].shape[1] - 1, *(len(layer) for layer in pretrained.weights)]
    if theirs[:-1] != list(sizes[:-1]):
        raise InputError(
            f"the initial weights are of a network {_shape(theirs)}, but {_shape(sizes)} is to be "
            f"trained. {_remedy(theirs, sizes)} or other `initial_weights`."
        )
    weights = [layer.astype(training.dtype) for layer in pretrained.weights]
    if pretrained.new_outputs or theirs[-1] != sizes[-1]:
        weights[-1:] = initial_weights(sizes[-2:], rng, **drawn)
    return weights


def _shape(sizes: Sequence[int]) -> str:
    return " → ".join(map(str, sizes))


def _remedy(theirs: Sequence[int], sizes: Sequence[int]) -> str:
    if theirs[0] != sizes[0]:
        return f"Give images of {theirs[0]} pixels, not {sizes[0]},"
    hidden = " ".join(map(str, theirs[1:-1]))
    return f"Give `hidden_layers` {hidden}" if hidden else "Give an empty `hidden_layers`"
