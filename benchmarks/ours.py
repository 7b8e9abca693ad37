"""This project's network at the workloads."""

import time

import numpy as np

from benchmarks.workloads import PREDICTED_IMAGES, PREDICTING_SIZES, Training, random_digits
from network.examples import Examples
from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.model import predict
from network.optimizer import Optimizer
from network.training_state import TrainingState


def train(work: Training) -> float:
    """Return the seconds of the training loop, the cost of every epoch taken."""
    examples = Examples(*work.data())
    rng = np.random.default_rng(0)
    weights = initial_weights(work.sizes, rng, initialization="glorot", dtype=work.dtype)
    state = TrainingState.begin(weights, rng)
    optimizer = Optimizer(learning_rate=work.learning_rate, l2=work.l2)
    start = time.perf_counter()
    for _ in gradient_descent(
        state, examples, optimizer, epochs=work.epochs, batch_size=work.batch_size
    ):
        pass
    return time.perf_counter() - start


def predict_many() -> float:
    """Return the seconds of recognising a million digits."""
    images, _ = random_digits(PREDICTED_IMAGES, PREDICTING_SIZES[0], "float32")
    weights = initial_weights(PREDICTING_SIZES, np.random.default_rng(0), initialization="glorot")
    start = time.perf_counter()
    predict(weights, images).argmax(axis=1)
    return time.perf_counter() - start
