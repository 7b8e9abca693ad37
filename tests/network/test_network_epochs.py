"""What an epoch depends on in addition to its images: schedule, augmentation, number type."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from network.examples import Examples
from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.model import predict
from network.optimizer import Optimizer
from network.training_state import TrainingState

DIGITS = Path(__file__).resolve().parents[2] / "data" / "digits.csv"
SETTINGS: dict[str, Any] = {"optimizer": Optimizer(learning_rate=0.5, l2=0.1), "epochs": 6}


def easy_digits(examples: int = 600) -> Examples:
    """Return images whose digit shows in pixels of its own, and one-hot targets."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 10, examples)
    images = rng.random((examples, 36)).astype(np.float32) * 0.3
    images[np.arange(examples), labels * 3] += 0.7
    return Examples(images, np.eye(10, dtype=np.float32)[labels])


def fresh(*hidden: int, dtype: str = "float32") -> TrainingState:
    """Return the start of a training on easy digits."""
    weights = initial_weights(
        [36, *hidden, 10], np.random.default_rng(1), initialization="glorot", dtype=dtype
    )
    return TrainingState.begin(weights, np.random.default_rng(0))


def test_augmented_images_differ_every_epoch_and_leave_the_given_ones_alone() -> None:
    """Each epoch draws from the images given, which are not changed."""
    digits = easy_digits()
    before = digits.images.copy()
    drawn = []

    def watched(given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        assert (given == before).all()
        drawn.append(rng.random())
        return given

    list(gradient_descent(fresh(), replace(digits, augment=watched), **SETTINGS))
    assert len(set(drawn)) == len(drawn) == SETTINGS["epochs"]
    assert (digits.images == before).all()


def test_a_failing_augmentation_ends_the_training() -> None:
    """An error on the second thread ends the training instead of being lost."""
    calls = []

    def failing(given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        calls.append(rng)
        if len(calls) == 3:
            raise RuntimeError("out of ink")
        return given

    with pytest.raises(RuntimeError, match="out of ink"):
        list(gradient_descent(fresh(), replace(easy_digits(), augment=failing), **SETTINGS))


def test_cosine_schedule_shortens_steps_along_half_a_wave() -> None:
    """On a linear slope the steps are the schedule: full at first, half midway, almost 0 last."""
    example = Examples(np.ones((1, 1)), np.ones((1, 1)))
    weights = [np.array([[-200.0, -200.0]])]  # so wrong that the slope stays -1
    state = TrainingState.begin(weights, np.random.default_rng(0))
    before = [weights[0][0, 0]]
    for _ in gradient_descent(state, example, Optimizer(1.0, schedule="cosine"), epochs=4):
        before.append(weights[0][0, 0])
    assert np.diff(before) == pytest.approx([1, 0.8535534, 0.5, 0.1464466])


def test_saturated_network_trains_without_warnings() -> None:
    """Huge pixels and huge weights are no reason to warn or to stop: the cost stays a number."""
    digits, state = easy_digits(), fresh(8)
    digits.images[:] *= 1e4
    for layer in state.weights:
        layer *= 1e4
    costs = [epoch.cost for epoch in gradient_descent(state, digits, **SETTINGS)]
    assert len(costs) == SETTINGS["epochs"]
    assert np.isfinite(costs).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_number_type_of_the_weights_rules(dtype: str) -> None:
    """Weights keep their type, whatever that of images and targets."""
    state = fresh(8, dtype=dtype)
    list(gradient_descent(state, easy_digits(), **SETTINGS))
    assert {layer.dtype for layer in state.weights} == {np.dtype(dtype)}


def test_classic_recipe_recognises_nine_digits_in_ten() -> None:
    """Trained on 4,000 of the shipped digits, the classic recipe gets about 92 % of the rest."""
    table = pd.read_csv(DIGITS, header=None).to_numpy()
    order = np.random.default_rng(0).permutation(len(table))
    images, labels = (table[order, :-1] / 255).astype(np.float32), table[order, -1]
    digits = Examples(images[:4000], np.eye(10, dtype=np.float32)[labels[:4000]])
    rng = np.random.default_rng(1)
    state = TrainingState.begin(initial_weights([400, 40, 10], rng), rng)
    list(gradient_descent(state, digits, Optimizer(learning_rate=1.2, l2=1.0), epochs=400))
    accuracy = (predict(state.weights, images[4000:]).argmax(axis=1) == labels[4000:]).mean()
    assert 0.905 <= accuracy <= 0.935
