"""scikit-learn's multi-layer perceptron at the same workloads."""

import time
import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.workloads import PREDICTED_IMAGES, PREDICTING_SIZES, Training, random_digits


def train(work: Training) -> float:
    """Return the seconds of `fit`; it takes the cost of every epoch too."""
    images, targets = work.data()
    network = MLPClassifier(
        hidden_layer_sizes=work.sizes[1:-1],
        activation="logistic",
        solver="sgd",
        alpha=work.l2,
        batch_size=work.batch_size or work.examples,
        learning_rate_init=work.learning_rate,
        momentum=0,
        nesterovs_momentum=False,
        max_iter=work.epochs,
        n_iter_no_change=work.epochs + 1,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged is meant
        start = time.perf_counter()
        network.fit(images, targets.astype(int))
        return time.perf_counter() - start


def predict_many() -> float:
    """Return the seconds of telling a million digits."""
    images, _ = random_digits(PREDICTED_IMAGES, PREDICTING_SIZES[0], "float32")
    network = MLPClassifier(PREDICTING_SIZES[1:-1], activation="logistic", random_state=0)
    network.partial_fit(images[:200], np.arange(200) % 10, classes=np.arange(10))
    start = time.perf_counter()
    network.predict(images)
    return time.perf_counter() - start
