"""The weights a training starts from: random ones, or those of a network that was trained before.

A digit's parts are those of other digits and of letters too, so what the first layers learnt is
worth keeping even where the outputs mean something else. Source: Yosinski, Clune, Bengio and
Lipson 2014, How transferable are features in deep neural networks?
"""

from collections.abc import Sequence

import numpy as np

from network.initialization import initial_weights
from tasks.errors import InputError
from tasks.training.settings import TrainingSettings


def first_weights(
    sizes: Sequence[int],
    training: TrainingSettings,
    rng: np.random.Generator,
    initial: Sequence[np.ndarray] | None,
    new_outputs: bool = False,
) -> list[np.ndarray]:
    """Return the weights before training, in the training's number type.

    Args:
        sizes: inputs, neurons of each hidden layer, outputs.
        training: how random weights are drawn.
        rng: their source.
        initial: the weights of another network. Where only its number of outputs differs, its last
            layer is drawn anew and the others are kept. None draws all layers.
        new_outputs: draw the last layer anew though it fits, as its outputs mean something else.

    Returns:
        One matrix a layer, (outputs, inputs + 1); a network given as `initial` is left as it is.

    Raises:
        InputError: the other network's inputs or hidden layers differ from the sizes.
    """
    drawn = {"initialization": training.initialization, "dtype": training.dtype}
    if initial is None:
        return initial_weights(sizes, rng, **drawn)
    theirs = [initial[0].shape[1] - 1, *(len(layer) for layer in initial)]
    if theirs[:-1] != list(sizes[:-1]):
        raise InputError(
            f"the initial weights are of a network {_shape(theirs)}, but {_shape(sizes)} is to be "
            f"trained. {_remedy(theirs, sizes)} or give other --initial-weights."
        )
    weights = [layer.astype(training.dtype) for layer in initial]
    if new_outputs or theirs[-1] != sizes[-1]:
        weights[-1:] = initial_weights(sizes[-2:], rng, **drawn)
    return weights


def _shape(sizes: Sequence[int]) -> str:
    return " → ".join(map(str, sizes))


def _remedy(theirs: Sequence[int], sizes: Sequence[int]) -> str:
    if theirs[0] != sizes[0]:
        return f"Train on images of {theirs[0]} pixels, not {sizes[0]},"
    hidden = " ".join(map(str, theirs[1:-1]))
    return f"Give {f'--hidden-layers {hidden}' if hidden else '--empty-hidden-layers'}"
