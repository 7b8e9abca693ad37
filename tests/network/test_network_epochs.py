"""What an epoch may be given besides its images: a schedule, an augmentation, a number type."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.model import predict

DIGITS = Path(__file__).resolve().parents[2] / "data" / "digits.csv"
SETTINGS: dict[str, Any] = {"learning_rate": 0.5, "l2": 0.1, "epochs": 6}


def easy_digits(examples: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return images whose digit shows in pixels of its own, and one-hot targets."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 10, examples)
    images = rng.random((examples, 36)).astype(np.float32) * 0.3
    images[np.arange(examples), labels * 3] += 0.7
    return images, np.eye(10, dtype=np.float32)[labels]


def fresh(*hidden: int, dtype: str = "float32") -> list[np.ndarray]:
    """Return the first weights of a network for easy digits."""
    return initial_weights(
        [36, *hidden, 10], np.random.default_rng(1), initialization="glorot", dtype=dtype
    )


def test_augmented_images_differ_every_epoch_and_leave_the_given_ones_alone() -> None:
    """Each epoch draws anew from the images given, which are not changed."""
    images, targets = easy_digits()
    before = images.copy()
    drawn = []

    def watched(given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        assert given is images
        drawn.append(rng.random())
        return given

    for _ in gradient_descent(
        fresh(), images, targets, augment=watched, rng=np.random.default_rng(0), **SETTINGS
    ):
        pass
    assert len(set(drawn)) == len(drawn) == SETTINGS["epochs"]
    assert (images == before).all()


def test_a_failing_augmentation_is_told() -> None:
    """An error on the second thread ends the training instead of being lost."""
    images, targets = easy_digits()
    calls = []

    def failing(given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        calls.append(rng)
        if len(calls) == 3:
            raise RuntimeError("out of ink")
        return given

    with pytest.raises(RuntimeError, match="out of ink"):
        list(
            gradient_descent(
                fresh(), images, targets, augment=failing, rng=np.random.default_rng(0), **SETTINGS
            )
        )


def test_cosine_schedule_shortens_steps_along_half_a_wave() -> None:
    """On a linear slope the steps are the schedule: full at first, half midway, almost 0 last."""
    image, target = np.ones((1, 1)), np.ones((1, 1))
    weights = [np.array([[-200.0, -200.0]])]  # so wrong that the slope stays -1
    before = [weights[0][0, 0]]
    for _ in gradient_descent(
        weights,
        image,
        target,
        learning_rate=1.0,
        l2=0,
        epochs=4,
        schedule="cosine",
        rng=np.random.default_rng(0),
    ):
        before.append(weights[0][0, 0])
    assert np.diff(before) == pytest.approx([1, 0.8535534, 0.5, 0.1464466])


def test_saturated_network_trains_without_warnings() -> None:
    """Huge pixels and huge weights are no reason to warn or to stop: the cost stays a number."""
    images, targets = easy_digits()
    weights = [layer * 1e4 for layer in fresh(8)]
    costs = [
        epoch.cost
        for epoch in gradient_descent(
            weights, images * 1e4, targets, rng=np.random.default_rng(0), **SETTINGS
        )
    ]
    assert len(costs) == SETTINGS["epochs"]
    assert np.isfinite(costs).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_number_type_of_the_weights_rules(dtype: str) -> None:
    """Weights keep their type, whatever that of images and targets."""
    images, targets = easy_digits()
    weights = fresh(8, dtype=dtype)
    list(gradient_descent(weights, images, targets, rng=np.random.default_rng(0), **SETTINGS))
    assert {layer.dtype for layer in weights} == {np.dtype(dtype)}


def test_classic_recipe_reads_nine_digits_in_ten() -> None:
    """Trained on 4,000 of the shipped digits, the classic recipe reads about 92 % of the rest."""
    table = pd.read_csv(DIGITS, header=None).to_numpy()
    order = np.random.default_rng(0).permutation(len(table))
    images, labels = (table[order, :-1] / 255).astype(np.float32), table[order, -1]
    targets = np.eye(10, dtype=np.float32)[labels]
    weights = initial_weights([400, 40, 10], np.random.default_rng(1))
    for _ in gradient_descent(
        weights,
        images[:4000],
        targets[:4000],
        learning_rate=1.2,
        l2=1.0,
        epochs=400,
        rng=np.random.default_rng(0),
    ):
        pass
    accuracy = (predict(weights, images[4000:]).argmax(axis=1) == labels[4000:]).mean()
    assert 0.905 <= accuracy <= 0.935
