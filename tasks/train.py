"""The third stage: a network is trained on the training split."""

from functools import partial

import pandas as pd
from numpy.random import default_rng
from pydantic import BaseModel, ConfigDict

from network.augmentation import distort
from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.weights import dump_weights
from tasks.digit_table import read_digits
from tasks.images import CLASSES, one_hot, scaled_images
from tasks.progress import progress
from tasks.settings import TrainingSettings
from tasks.stage import stage
from tasks.store import Store, StoredFile


class Trained(BaseModel):
    """A trained network and the cost of every epoch."""

    model_config = ConfigDict(frozen=True)

    weights: StoredFile
    history: StoredFile
    activation: str


@stage("tasks/train.py", "tasks/digit_table.py", "tasks/images.py", "network")
def train(store: Store, train: StoredFile, training: TrainingSettings, seed: int) -> Trained:
    """Train a network, showing the cost as it goes.

    Raises:
        DivergenceError: the cost became infinite or not a number.
    """
    digits = read_digits(store.path(train))
    images = scaled_images(digits, training.dtype)
    # 1, where the split has 0: the two draw from streams of their own.
    rng = default_rng([seed, 1])
    sizes = [images.shape[1], *training.hidden_layers, CLASSES]
    weights = initial_weights(
        sizes, rng, initialization=training.initialization, dtype=training.dtype
    )
    augment = partial(distort, strength=training.distortion) if training.distortion else None
    history = []
    with progress(training.epochs) as show:
        for epoch in gradient_descent(
            weights,
            images,
            one_hot(digits.labels, training.dtype),
            learning_rate=training.learning_rate,
            l2=training.l2,
            epochs=training.epochs,
            batch_size=training.batch_size or None,
            schedule=training.schedule,
            momentum=training.momentum,
            augment=augment,
            activation=training.activation,
            rng=rng,
        ):
            history.append({"epoch": epoch.number, "cost": epoch.cost})
            show(epoch.number, epoch.cost)
    with store.scratch() as scratch:
        (scratch / "weights.pkl").write_bytes(dump_weights(weights))
        pd.DataFrame(history).to_parquet(scratch / "history.parquet")
        return Trained(
            weights=store.keep(scratch / "weights.pkl"),
            history=store.keep(scratch / "history.parquet"),
            activation=training.activation,
        )
