"""Training as a plain function of digits in memory: from initial weights to trained ones."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial

import numpy as np
import pandas as pd
from numpy.random import default_rng

from network.augmentation import distort
from network.gradient_descent import gradient_descent
from tasks.digits.network_inputs import one_hot, scaled_images
from tasks.digits.table import Digits
from tasks.errors import DataError
from tasks.training.checkpoint import Checkpoint, TrainingState
from tasks.training.first_weights import first_weights
from tasks.training.memory import check_memory
from tasks.training.progress import Show
from tasks.training.settings import TrainingSettings
from tasks.training.validation import Validation, patience_is_over


def fit(
    digits: Digits,
    training: TrainingSettings,
    seed: int,
    show: Show,
    checkpoint: Checkpoint | None = None,
    initial: Sequence[np.ndarray] | None = None,
    new_outputs: bool = False,
    member: int = 0,
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Train a network on digits in memory.

    Args:
        digits: the training split, in shuffled order.
        training: the network's shape and how to train it.
        seed: decides initial weights, batches and distortions.
        show: called with the number and cost of each epoch.
        checkpoint: where the state is kept, and an interrupted training's found; it ends with the
            same bits as one that never stopped.
        initial: weights of a network to start from; None starts anew. See `first_weights`.
        new_outputs: start the last of them anew in any case.
        member: number of the network in its ensemble, from 0; each has random numbers of its own.

    Returns:
        The weights, and one row an epoch: `epoch`, `cost`, and with a validation part its
        `validation_cost` and `validation_accuracy`. With patience, the weights are those of the
        epoch of the least validation cost.

    Raises:
        DataError: a validation part is asked for that leaves too few digits.
        InputError: the initial weights are of a network with other inputs or hidden layers.
        MemoryError: the network is too large for this machine.
        DivergenceError: the cost became infinite or not a number.
    """
    images = scaled_images(digits, training.dtype)
    examples = _trained_on(len(images), training.validation_fraction)
    sizes = [images.shape[1], *training.hidden_layers, len(digits.classes)]
    check_memory(sizes, training.batch_size or examples, training.dtype)
    targets = one_hot(digits.labels, digits.classes, training.dtype)
    validation = Validation(  # the split is shuffled, so its last rows are as good as any
        images[examples:],
        targets[examples:],
        activation=training.activation,
        l2=training.l2,
        examples=examples,
    )
    rng = default_rng([seed, 1 + member])  # the split has 0: streams of their own
    weights = first_weights(sizes, training, rng, initial, new_outputs)
    velocity = [np.zeros_like(layer) for layer in weights[training.freeze_layers :]]
    history: list[dict[str, float]] = []
    if checkpoint and (saved := checkpoint.load()):
        weights, velocity, history = saved.weights, saved.velocity, saved.history
        rng.bit_generator.state = saved.rng
        validation.go_on(saved.best_weights, history)
    ended = patience_is_over(history, training.patience)
    epochs = gradient_descent(
        weights,
        images[:examples],
        targets[:examples],
        learning_rate=training.learning_rate,
        l2=training.l2,
        epochs=len(history) if ended else training.epochs,
        batch_size=training.batch_size or None,
        schedule=training.schedule,
        momentum=training.momentum,
        augment=partial(distort, strength=training.distortion) if training.distortion else None,
        activation=training.activation,
        rng=rng,
        frozen=training.freeze_layers,
        velocity=velocity,
        first_epoch=len(history) + 1,
    )

    def state() -> TrainingState:
        return TrainingState(
            weights, velocity, validation.best_weights, dict(rng.bit_generator.state), history
        )

    with closing(epochs):
        for epoch in epochs:
            row = {"epoch": epoch.number, "cost": epoch.cost}
            history.append(row | validation.measure(weights))
            show(epoch.number, epoch.cost)
            if patience_is_over(history, training.patience):
                break
            if checkpoint:
                checkpoint.save_if_due(state())
    if checkpoint and member + 1 < training.members:
        checkpoint.save(state())  # the next member's training may be cut short
    return validation.best_weights if training.patience else weights, pd.DataFrame(history)


def _trained_on(rows: int, validation_fraction: float) -> int:
    """Return how many of the rows are trained on; the rest are held out."""
    held_out = round(validation_fraction * rows)
    if held_out == rows or (validation_fraction and held_out == 0):
        raise DataError(
            f"{rows} training rows can't be parted at --validation-fraction "
            f"{validation_fraction:g}: one part would be empty. Change it or add rows."
        )
    return rows - held_out
