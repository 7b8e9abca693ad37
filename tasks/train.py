"""The third stage: a network is trained on the training split, or on a part of it."""

from contextlib import closing
from functools import partial

import numpy as np
import pandas as pd
from numpy.random import default_rng
from pydantic import BaseModel, ConfigDict

from network.augmentation import distort
from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.weights import dump_weights
from tasks.digit_table import Digits, read_digits
from tasks.errors import DataError
from tasks.images import CLASSES, one_hot, scaled_images
from tasks.progress import Show, progress
from tasks.settings import TrainingSettings
from tasks.stage import stage
from tasks.store import Store, StoredFile
from tasks.validation import Validation


class Trained(BaseModel):
    """A trained network and the cost of every epoch."""

    model_config = ConfigDict(frozen=True)

    weights: StoredFile
    history: StoredFile
    activation: str


@stage(
    "tasks/train.py", "tasks/digit_table.py", "tasks/images.py", "tasks/validation.py", "network"
)
def train(store: Store, train: StoredFile, training: TrainingSettings, seed: int) -> Trained:
    """Train a network, showing the cost as it goes.

    Raises:
        DataError: a validation part is asked for that leaves too few digits.
        DivergenceError: the cost became infinite or not a number.
    """
    digits = read_digits(store.path(train))
    with progress(training.epochs) as show:
        weights, history = fit(digits, training, seed, show)
    with store.scratch() as scratch:
        (scratch / "weights.pkl").write_bytes(dump_weights(weights))
        history.to_parquet(scratch / "history.parquet")
        return Trained(
            weights=store.keep(scratch / "weights.pkl"),
            history=store.keep(scratch / "history.parquet"),
            activation=training.activation,
        )


def fit(
    digits: Digits, training: TrainingSettings, seed: int, show: Show
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Train a network on digits in memory.

    Args:
        digits: the training split, in shuffled order.
        training: the network's shape and how to train it.
        seed: decides initial weights, batches and distortions.
        show: called with the number and cost of each epoch.

    Returns:
        The weights, and one row an epoch: `epoch`, `cost`, and with a validation part its
        `validation_cost` and `validation_accuracy`. With patience, the weights are those of the
        epoch of the least validation cost.
    """
    images = scaled_images(digits, training.dtype)
    held_out = round(training.validation_fraction * len(images))
    examples = len(images) - held_out
    if examples == 0 or (training.validation_fraction and held_out == 0):
        raise DataError(
            f"{len(images)} training rows can't be parted at --validation-fraction "
            f"{training.validation_fraction:g}: one part would be empty. Change it or add rows."
        )
    validation = Validation(  # the split is shuffled, so its last rows are as good as any
        images[examples:],
        digits.labels[examples:],
        activation=training.activation,
        l2=training.l2,
        examples=examples,
        patience=training.patience,
    )
    rng = default_rng([seed, 1])  # 1, where the split has 0: streams of their own
    sizes = [images.shape[1], *training.hidden_layers, CLASSES]
    weights = initial_weights(
        sizes, rng, initialization=training.initialization, dtype=training.dtype
    )
    epochs = gradient_descent(
        weights,
        images[:examples],
        one_hot(digits.labels[:examples], training.dtype),
        learning_rate=training.learning_rate,
        l2=training.l2,
        epochs=training.epochs,
        batch_size=training.batch_size or None,
        schedule=training.schedule,
        momentum=training.momentum,
        augment=partial(distort, strength=training.distortion) if training.distortion else None,
        activation=training.activation,
        rng=rng,
    )
    history = []
    with closing(epochs):
        for epoch in epochs:
            row = {"epoch": epoch.number, "cost": epoch.cost}
            history.append(row | (validation.measure(weights) if held_out else {}))
            show(epoch.number, epoch.cost)
            if validation.patience_is_over:
                break
    return validation.best_weights if training.patience else weights, pd.DataFrame(history)
