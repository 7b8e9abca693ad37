"""Training as a plain function of digits: from initial weights to trained ones."""

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial

import numpy as np
import pandas as pd

from network.augmentation import distort
from network.batch_gradient import GradientSettings
from network.convolution import Convolution, convolutions
from network.examples import Examples
from network.gradient_descent import Epoch, gradient_descent, partitioned_gradient_descent
from network.optimizer import Optimizer
from network.training_state import TrainingState
from tasks.digits.mapped_images import MappedDigits
from tasks.digits.network_inputs import one_hot
from tasks.digits.table import Digits
from tasks.errors import DataError, InputError
from tasks.training.checkpoint import Checkpoint, Snapshot
from tasks.training.first_weights import Pretrained, first_weights
from tasks.training.memory import check_memory
from tasks.training.partitions import Workers, here, rows_of_partitions
from tasks.training.progress import Show
from tasks.training.settings import TrainingSettings
from tasks.training.validation import Validation, patience_is_over


def fit(
    digits: Digits | MappedDigits,
    training: TrainingSettings,
    rng: np.random.Generator,
    show: Show,
    checkpoint: Checkpoint | None = None,
    pretrained: Pretrained | None = None,
    workers: Workers | None = None,
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Train a network on digits.

    Args:
        digits: the training split, in shuffled order.
        training: the network's shape and how to train it.
        rng: decides initial weights, batches and distortions.
        show: called with the number and cost of each epoch.
        checkpoint: where the state is kept, and an interrupted training's found; it ends with the
            same bits as one that never stopped.
        pretrained: the network to start from; None starts from random weights.
        workers: where partitions are computed; None is here. No weight depends on it.

    Returns:
        The weights, and one row an epoch: `epoch`, `cost`, and with a validation part its
        `validation_cost` and `validation_accuracy`. With patience, the weights are those of the
        epoch of the least validation cost.

    Raises:
        DataError: a validation part is asked for that leaves too few digits.
        InputError: the pretrained network has other inputs or hidden layers, or the images are too
            small for the convolutions.
        MemoryError: the network is too large for this machine.
        DivergenceError: the cost became infinite or not a number.
    """
    rows = trained_on(len(digits.labels), training.validation_fraction)
    pixels = digits.pixels.shape[1]
    layers = _convolutions(pixels, training.convolutions)
    hidden = [*(layer.outputs for layer in layers), *training.hidden_layers]
    sizes = [pixels, *hidden, len(digits.classes)]
    check_memory(sizes, training.batch_size or rows, training)
    targets = one_hot(digits.labels, digits.classes, "uint8")
    distorted = partial(distort, strength=training.distortion) if training.distortion else None
    # The split is shuffled, so its last rows are as good as any for validation.
    examples, held_out = (
        Examples(digits.pixels[part], targets[part], digits.pixel_max, augment)
        for part, augment in ((slice(rows), distorted), (slice(rows, None), None))
    )
    validation = Validation(held_out, training.activation, training.l2, rows)
    saved = checkpoint.load() if checkpoint else None
    if saved:
        state, history = saved.state, saved.history
        state.convolutions = layers
        validation.resume(saved.best_weights, history)
    else:
        weights = first_weights(sizes, training, rng, pretrained, layers)
        state, history = TrainingState.begin(weights, rng, training.freeze_layers, layers), []
    with closing(_epochs(state, examples, training, workers)) as epochs:
        while not patience_is_over(history, training.patience) and (epoch := next(epochs, None)):
            row = {"epoch": epoch.number, "cost": epoch.cost}
            history.append(row | validation.measure(state))
            show(epoch.number, epoch.cost)
            if checkpoint:
                checkpoint.save_if_due(Snapshot(state, history, validation.best_weights))
    if checkpoint:  # whatever comes next may be interrupted
        checkpoint.save(Snapshot(state, history, validation.best_weights))
    weights = validation.best_weights if training.patience else state.network
    return weights, pd.DataFrame(history)


def _epochs(
    state: TrainingState,
    examples: Examples,
    training: TrainingSettings,
    workers: Workers | None,
) -> Generator[Epoch, None, None]:
    optimizer = Optimizer(
        learning_rate=training.learning_rate,
        schedule=training.schedule,
        momentum=training.momentum,
        l2=training.l2,
    )
    epochs, batch_size = training.epochs, training.batch_size or None
    if not training.partitions:
        return gradient_descent(
            state,
            examples,
            optimizer,
            epochs=epochs,
            batch_size=batch_size,
            activation=training.activation,
            threads=training.threads,
        )
    # One thread a partition: there are more partitions for more cores.
    settings = GradientSettings(training.activation, 1, state.frozen, state.convolutions)
    partitions = rows_of_partitions(len(examples), training.partitions)
    compute = (
        workers(partitions, settings)
        if workers
        else here(examples, partitions, settings, training.threads)
    )
    return partitioned_gradient_descent(
        state, partitions, optimizer, epochs=epochs, batch_size=batch_size, compute=compute
    )


def _convolutions(pixels: int, maps: Sequence[int]) -> list[Convolution]:
    try:
        return convolutions(pixels, maps)
    except ValueError as error:
        side = math.isqrt(pixels)
        raise InputError(
            f"images of {side} × {side} pixels are too small for {len(maps)} `convolutions`. Give "
            "fewer, or an empty `convolutions`."
        ) from error


def trained_on(rows: int, validation_fraction: float) -> int:
    """Return how many of the rows are trained on; the rest are held out."""
    held_out = round(validation_fraction * rows)
    if held_out == rows or (validation_fraction and held_out == 0):
        raise DataError(
            f"{rows} training rows can't be split at `validation_fraction` "
            f"{validation_fraction:g}: one part would be empty. Change it or add rows."
        )
    return rows - held_out
