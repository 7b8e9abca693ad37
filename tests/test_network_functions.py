"""The network's small parts: activations, cost, first weights, prediction."""

import math

import numpy as np
import pytest

from network import model
from network.activations import ACTIVATIONS, sigmoid
from network.initialization import initial_weights
from network.loss import cross_entropy, penalty
from network.model import predict, weighted_sums

EXTREME = [-1e30, -1e4, -89.0, -1.0, 0.0, 1.0, 89.0, 1e4, 1e30]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_of_extreme_sums_is_silent_and_right(dtype: str) -> None:
    """Any finite sum has a sigmoid within 0 … 1, without a warning (warnings fail tests)."""
    found = sigmoid(np.array(EXTREME, dtype))
    assert found.dtype == dtype
    expected = [0, 0, 1 / (1 + math.exp(89)), 1 / (1 + math.e), 0.5, 1 / (1 + 1 / math.e), 1, 1, 1]
    assert found == pytest.approx(np.array(expected), abs=1e-7)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        ("tanh", lambda z: (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1)),
        ("relu", lambda z: (z + abs(z)) / 2),
    ],
)
def test_activations_and_their_slopes(name: str, function: object) -> None:
    """Each activation is its textbook function, and its slope that function's derivative."""
    assert callable(function)
    z = np.array([-3.0, -0.4, 0.1, 2.5])
    activations = ACTIVATIONS[name].apply(z.copy())
    assert activations == pytest.approx(function(z))
    error = np.full(4, 2.0)
    ACTIVATIONS[name].multiply_slope(error, activations)
    assert error == pytest.approx(2 * (function(z + 1e-6) - function(z - 1e-6)) / 2e-6, abs=1e-8)


def test_relu_at_zero_is_flat() -> None:
    """ReLU's slope at exactly 0 is taken as 0."""
    error = np.ones(1)
    ACTIVATIONS["relu"].multiply_slope(error, np.zeros(1))
    assert error[0] == 0


def test_cross_entropy_is_its_definition() -> None:
    """The cost of the fit is -y log a - (1 - y) log(1 - a), summed."""
    rng = np.random.default_rng(0)
    z, targets = rng.normal(size=(4, 10)), rng.integers(0, 2, (4, 10)).astype(float)
    a = 1 / (1 + np.exp(-z))
    expected = -(targets * np.log(a) + (1 - targets) * np.log(1 - a)).sum()
    assert cross_entropy(z, targets) == pytest.approx(expected, rel=1e-12)


def test_cross_entropy_of_extreme_sums_is_silent_and_finite() -> None:
    """Being surely right costs nothing, surely wrong costs the sum itself; nothing overflows."""
    z = np.array([1e30, 1e30, -1e30, -1e30], np.float32)
    assert cross_entropy(z[[0, 2]], np.array([1, 0], np.float32)) == 0
    assert cross_entropy(z[[1, 3]], np.array([0, 1], np.float32)) == pytest.approx(2e30)


def test_cross_entropy_refuses_shapes_that_numpy_would_stretch() -> None:
    """A column beside a row is an error, not a table."""
    with pytest.raises(ValueError, match=r"\(4, 1\) and targets \(4,\)"):
        cross_entropy(np.zeros((4, 1)), np.zeros(4))


def test_penalty_leaves_biases_out() -> None:
    """Column 0 is free; the rest is l2 / (2 m) times the sum of squares."""
    weights = [np.array([[100.0, 1.0, 2.0]]), np.array([[-50.0, 3.0]])]
    assert penalty(weights, l2=0.5, examples=7) == pytest.approx(0.5 / 14 * (1 + 4 + 9))
    assert penalty(weights, l2=0, examples=7) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_weights_have_their_spread(dtype: str) -> None:
    """Classic weights fill ±0.01, Glorot's their limit, He's their deviation; zero biases."""
    sizes = [400, 300, 10]

    def first(initialization: str) -> np.ndarray:
        weights = initial_weights(
            sizes, np.random.default_rng(0), initialization=initialization, dtype=dtype
        )
        assert [layer.shape for layer in weights] == [(300, 401), (10, 301)]
        assert {layer.dtype for layer in weights} == {np.dtype(dtype)}
        return weights[0]

    classic, glorot, he = first("uniform"), first("glorot"), first("he")
    assert 0.0099 < np.abs(classic).max() <= 0.01
    assert classic[:, 0].any()
    limit = math.sqrt(6 / 700)
    assert 0.99 * limit < np.abs(glorot).max() <= limit * (1 + 1e-6)
    assert he[:, 1:].std() == pytest.approx(math.sqrt(2 / 400), rel=0.01)
    assert not glorot[:, 0].any()
    assert not he[:, 0].any()


def test_prediction_does_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images predicted in chunks are the images predicted at once, last and partial chunk too."""
    rng = np.random.default_rng(0)
    weights = initial_weights([16, 5, 10], rng, initialization="glorot", dtype=np.float64)
    images = rng.random((23, 16))
    hidden = 1 / (1 + np.exp(-(images @ weights[0][:, 1:].T + weights[0][:, 0])))
    expected = 1 / (1 + np.exp(-(hidden @ weights[1][:, 1:].T + weights[1][:, 0])))
    for chunk in (1, 10, 23, 100):
        monkeypatch.setattr(model, "CHUNK", chunk)
        assert predict(weights, images) == pytest.approx(expected, rel=1e-12)


def test_no_images_predict_nothing() -> None:
    """No rows in, no rows out."""
    weights = initial_weights([16, 10], np.random.default_rng(0))
    assert predict(weights, np.empty((0, 16))).shape == (0, 10)


def test_images_of_another_size_are_refused() -> None:
    """A shape that does not fit is named, before NumPy fails somewhere inside."""
    weights = initial_weights([16, 10], np.random.default_rng(0))
    for images in (np.zeros((3, 25)), np.zeros(16), np.zeros((1, 4, 4))):
        with pytest.raises(ValueError, match="16 inputs"):
            weighted_sums(weights, images)


def test_prediction_of_extreme_images_is_silent() -> None:
    """Pixels and weights near the end of the number range give answers within 0 … 1."""
    weights = [np.full((10, 5), 1e30, np.float32)]
    images = np.array([[3e8, 0, 0, 0], [-3e8, 0, 0, 0]], np.float32)
    found = predict(weights, images)
    assert (found[0] == 1).all()
    assert (found[1] == 0).all()
