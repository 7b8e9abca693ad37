"""Gradient descent as a whole: it follows the formulas, repeats, resumes, and stops in time."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from network.gradient_descent import DivergenceError, gradient_descent
from network.initialization import initial_weights
from network.model import predict

DIGITS = Path(__file__).resolve().parent.parent / "data" / "digits.csv"
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


def shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the images moved along by 0 to 2 pixels: a simple augmentation."""
    return np.roll(images, rng.integers(0, 3), axis=1)


def test_classic_recipe_follows_the_plain_formulas() -> None:
    """400 epochs of the classic recipe cost what the formulas say, to 1e-9, and read 9 in 10."""
    table = pd.read_csv(DIGITS, header=None).to_numpy()
    order = np.random.default_rng(0).permutation(len(table))
    images, labels = table[order, :400] / 255, table[order, 400]
    x, y = images[:4000], np.eye(10)[labels[:4000]]
    weights = initial_weights([400, 40, 10], np.random.default_rng(1), dtype=np.float64)
    w1, w2 = (layer[:, 1:].T.copy() for layer in weights)
    b1, b2 = (layer[:, 0].copy() for layer in weights)

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    epochs = gradient_descent(
        weights, x, y, learning_rate=1.2, l2=1.0, epochs=400, rng=np.random.default_rng(0)
    )
    for epoch in epochs:
        hidden = sigmoid(x @ w1 + b1)
        output = sigmoid(hidden @ w2 + b2)
        fit = -(y * np.log(output) + (1 - y) * np.log(1 - output)).sum() / 4000
        cost = fit + 1.0 / 8000 * ((w1**2).sum() + (w2**2).sum())
        assert abs(epoch.cost - cost) < 1e-9
        output_error = (output - y) / 4000
        hidden_error = output_error @ w2.T * hidden * (1 - hidden)
        w2 -= 1.2 * (hidden.T @ output_error + w2 / 4000)
        b2 -= 1.2 * output_error.sum(axis=0)
        w1 -= 1.2 * (x.T @ hidden_error + w1 / 4000)
        b1 -= 1.2 * hidden_error.sum(axis=0)
    assert epoch.number == 400
    accuracy = (predict(weights, images[4000:]).argmax(axis=1) == labels[4000:]).mean()
    assert accuracy >= 0.905


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"batch_size": 50, "momentum": 0.9, "learning_rate": 0.05, "schedule": "cosine"},
        {"batch_size": 50, "augment": shifted},
        {"augment": shifted, "momentum": 0.5},
    ],
)
class TestSameBytes:
    """What training promises of its bytes, in full batches and small ones, altered or not."""

    def train(self, more: dict[str, Any], **state: Any) -> tuple[list[np.ndarray], list[float]]:
        """Train to the end, from the start or from a state."""
        state = {"weights": fresh(8), "rng": np.random.default_rng(2)} | state
        images, targets = easy_digits()
        epochs = gradient_descent(images=images, targets=targets, **SETTINGS | more | state)
        return state["weights"], [epoch.cost for epoch in epochs]

    def test_same_seed_same_bytes(self, more: dict[str, Any]) -> None:
        """The same seed gives the same costs and weights, bit for bit, threads or not."""
        first, second = self.train(more), self.train(more)
        assert first[1] == second[1]
        assert pickle.dumps(first[0]) == pickle.dumps(second[0])

    def test_interrupted_training_goes_on_as_if_it_had_not_been(self, more: dict[str, Any]) -> None:
        """State taken out after any epoch and put back ends in the bytes of the unbroken run."""
        expected, costs = self.train(more)
        images, targets = easy_digits()
        for broken_off_after in (1, 4):
            weights, rng = fresh(8), np.random.default_rng(2)
            velocity = [np.zeros_like(layer) for layer in weights]
            for epoch in gradient_descent(
                weights, images, targets, rng=rng, velocity=velocity, **SETTINGS | more
            ):
                if epoch.number == broken_off_after:
                    saved = pickle.dumps((weights, velocity, rng.bit_generator.state))
                    break
            weights, velocity, state = pickle.loads(saved)
            rng = np.random.default_rng()
            rng.bit_generator.state = state
            found, rest = self.train(
                more,
                weights=weights,
                velocity=velocity,
                rng=rng,
                first_epoch=broken_off_after + 1,
            )
            assert rest == costs[broken_off_after:]
            assert pickle.dumps(found) == pickle.dumps(expected)


def test_another_seed_another_order() -> None:
    """The generator decides the batches; a full batch does not touch it."""
    images, targets = easy_digits()

    def costs(seed: int, batch_size: int | None) -> list[float]:
        rng = np.random.default_rng(seed)
        settings = SETTINGS | {"batch_size": batch_size, "rng": rng}
        found = [e.cost for e in gradient_descent(fresh(8), images, targets, **settings)]
        untouched = rng.bit_generator.state == np.random.default_rng(seed).bit_generator.state
        assert untouched == (batch_size is None)
        return found

    assert costs(1, 50) != costs(2, 50)
    assert costs(1, None) == costs(2, None)


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


@pytest.mark.parametrize("batch_size", [None, 32])
def test_more_l2_gives_smaller_weights(batch_size: int | None) -> None:
    """The stronger the penalty, the smaller the weights without biases."""
    images, targets = easy_digits()
    sizes = []
    for l2 in (0, 1, 10, 100):
        weights = fresh(8)
        for _ in gradient_descent(
            weights,
            images,
            targets,
            learning_rate=0.3,
            l2=l2,
            epochs=40,
            batch_size=batch_size,
            rng=np.random.default_rng(0),
        ):
            pass
        sizes.append(sum(float((layer[:, 1:] ** 2).sum()) for layer in weights))
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4


@pytest.mark.parametrize(
    ("activation", "hidden"), [("sigmoid", (20,)), ("tanh", (20, 20)), ("relu", (40, 40, 40))]
)
def test_a_tiny_set_can_be_learnt_by_heart(activation: str, hidden: tuple[int, ...]) -> None:
    """Twenty images of noise with random labels are told apart in the end."""
    rng = np.random.default_rng(0)
    images, labels = rng.random((20, 36)), rng.integers(0, 10, 20)
    weights = fresh(*hidden, dtype="float64")
    for epoch in gradient_descent(
        weights,
        images,
        np.eye(10)[labels],
        learning_rate=0.03,
        l2=0,
        epochs=3000,
        momentum=0.9,
        activation=activation,
        rng=rng,
    ):
        if epoch.cost < 0.05:
            break
    assert epoch.cost < 0.05
    assert (predict(weights, images, activation).argmax(axis=1) == labels).all()


@pytest.mark.parametrize("batch_size", [None, 32])
@pytest.mark.parametrize("examples", [100, 600])
def test_divergence_stops_at_once_with_advice(examples: int, batch_size: int | None) -> None:
    """A cost that is no number ends training with epoch, cost and remedy, without a warning."""
    images, targets = easy_digits(examples)
    with pytest.raises(DivergenceError, match=r"epoch \d+: the cost became (inf|nan)") as told:
        list(
            gradient_descent(
                fresh(8),
                images,
                targets,
                learning_rate=1e30,
                l2=1.0,
                epochs=50,
                momentum=0.9,
                batch_size=batch_size,
                activation="relu",
                rng=np.random.default_rng(0),
            )
        )
    assert "--learning-rate (now 1e+30)" in str(told.value)
    assert "--momentum (now 0.9)" in str(told.value)


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


def test_last_batch_may_be_smaller() -> None:
    """A batch size that does not divide the examples leaves none out and counts none twice."""
    images, targets = easy_digits(70)
    settings = SETTINGS | {"learning_rate": 1e-12, "epochs": 1, "rng": np.random.default_rng(0)}
    (whole,) = gradient_descent(fresh(8), images, targets, **settings)
    (parts,) = gradient_descent(fresh(8), images, targets, batch_size=32, **settings)
    assert parts.cost == pytest.approx(whole.cost, rel=1e-5)


def test_matrix_library_has_its_threads_back_after_training() -> None:
    """Training holds the matrix library to one thread, and only while it lasts."""
    from threadpoolctl import threadpool_info

    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    images, targets = easy_digits()
    settings = SETTINGS | {"rng": np.random.default_rng(0)}
    for _ in gradient_descent(fresh(8), images, targets, **settings):
        assert set(threads()) == {1}
    assert threads() == before
    broken_off = gradient_descent(fresh(8), images, targets, **settings)
    next(broken_off)
    broken_off.close()
    assert threads() == before


Change = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:, 1:], y), r"images \(600, 35\) for a network of 36 inputs"),
        (lambda x, y: (x.ravel(), y), r"images \(21600,\)"),
        (lambda x, y: (x, y[1:]), r"targets \(599, 10\), expected \(600, 10\)"),
        (lambda x, y: (x, y.argmax(axis=1)), r"targets \(600,\)"),
        (lambda x, y: (x[:0], y[:0]), "no images"),
    ],
)
def test_shapes_are_checked_at_the_door(change: Change, message: str) -> None:
    """Images and targets that do not fit the network are named with their shapes."""
    images, targets = change(*easy_digits())
    with pytest.raises(ValueError, match=message):
        next(gradient_descent(fresh(8), images, targets, rng=np.random.default_rng(0), **SETTINGS))
