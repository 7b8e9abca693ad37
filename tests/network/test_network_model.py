"""The network as a function: exact where formulas are, quiet at the extremes, chunked unseen."""

import math
from itertools import pairwise

import numpy as np
import pytest

from network.activations import ACTIVATIONS, sigmoid
from network.loss import cross_entropy, penalty
from network.model import CHUNK, predict, weighted_sums


def random_weights(*sizes: int, dtype: str = "float64") -> list[np.ndarray]:
    """Return weights in ±0.5, the same for the same sizes."""
    rng = np.random.default_rng(2)
    return [
        rng.uniform(-0.5, 0.5, (outputs, inputs + 1)).astype(dtype)
        for inputs, outputs in pairwise(sizes)
    ]


def exact_sigmoid(z: float) -> float:
    """Return 1 / (1 + e^-z), written so that e is never raised to a positive power."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def exact_cost(z: float, target: float) -> float:
    """Return -log a for target 1 and -log(1 - a) for 0, in logarithms that keep their digits."""
    wrong = -z if target else z
    return max(wrong, 0.0) + math.log1p(math.exp(-abs(wrong)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoid_is_the_formula(dtype: str) -> None:
    """Each value is 1 / (1 + e^-z) to the last digits of its type, tiny ones included."""
    z = np.linspace(-80, 80, 3201, dtype=dtype)
    expected = np.array([exact_sigmoid(float(value)) for value in z])
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(sigmoid(z.copy()), expected, rtol=4 * eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("extreme", [1e4, 1e30, math.inf])
def test_sigmoid_of_extremes_is_zero_or_one(extreme: float, dtype: str) -> None:
    """Beyond all exponentials the sigmoid is 0 or 1, without a warning."""
    z = np.array([-extreme, 0.0, extreme], dtype)
    assert sigmoid(z).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("activation", "function", "slope"),
    [
        ("sigmoid", exact_sigmoid, lambda z: exact_sigmoid(z) * exact_sigmoid(-z)),
        ("tanh", math.tanh, lambda z: 1 / math.cosh(z) ** 2),
        ("relu", lambda z: max(z, 0.0), lambda z: float(z > 0)),
    ],
)
def test_activations_and_slopes_are_the_formulas(activation, function, slope) -> None:
    """A hidden layer's function and derivative are the textbook's, computed in place."""
    z = np.linspace(-6, 6, 49)
    activations = z.copy()
    assert ACTIVATIONS[activation].apply(activations) is activations
    np.testing.assert_allclose(activations, [function(value) for value in z], atol=1e-15)
    error = np.full_like(z, 3.0)
    ACTIVATIONS[activation].multiply_derivative(error, activations)
    np.testing.assert_allclose(error, [3.0 * slope(value) for value in z], atol=1e-13)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("extreme", [1e4, -1e4, 1e30, -1e30])
def test_extreme_inputs_neither_warn_nor_break(extreme: float, activation: str) -> None:
    """Pixels far outside 0 … 1 still give probabilities."""
    images = np.full((3, 20), extreme, dtype=np.float32)
    images[1, ::2] *= -1
    images[2, 1:] = 0
    probabilities = predict(random_weights(20, 8, 8, 10, dtype="float32"), images, activation)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_cross_entropy_is_the_formula(target: float) -> None:
    """One output's cost is -log a or -log(1 - a)."""
    for z in np.linspace(-40, 40, 161):
        cost = cross_entropy(np.array([[z]]), np.array([[target]]))
        # The sum taken is of numbers about as large as z.
        last_digit = np.spacing(1 + abs(z))
        assert cost == pytest.approx(exact_cost(float(z), target), rel=1e-14, abs=last_digit)


def test_cross_entropy_is_summed_over_outputs_and_examples() -> None:
    """All outputs of all examples count, and none is averaged away."""
    rng = np.random.default_rng(1)
    z, targets = rng.normal(0, 5, (10, 7)), rng.integers(0, 2, (10, 7)).astype(float)
    expected = math.fsum(map(exact_cost, z.ravel().tolist(), targets.ravel().tolist()))
    assert cross_entropy(z, targets) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("extreme", [1e4, 1e30])
def test_cross_entropy_of_extremes_is_finite(extreme: float, dtype: str) -> None:
    """Surely wrong costs what z says, surely right costs nothing; never infinity, nor a warning."""
    z = np.array([extreme, -extreme], dtype)
    assert cross_entropy(z, np.array([1, 0], dtype)) == 0.0
    assert cross_entropy(z, np.array([0, 1], dtype)) == pytest.approx(2 * extreme, rel=1e-6)


def test_cross_entropy_leaves_its_arguments_alone() -> None:
    """The sums are needed afterwards: for the error, and for predictions."""
    z, targets = np.array([[1.0, -2.0]]), np.array([[0.0, 1.0]])
    cross_entropy(z, targets)
    assert z.tolist() == [[1.0, -2.0]]
    assert targets.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("targets", [(4,), (4, 1), (1, 4), (1, 1), (3, 4)])
def test_cross_entropy_refuses_to_stretch(targets: tuple[int, ...]) -> None:
    """Shapes that NumPy would broadcast, or not, are refused with both named."""
    with pytest.raises(ValueError, match=r"outputs \(4, 4\) and targets .* differ in shape"):
        cross_entropy(np.zeros((4, 4)), np.zeros(targets))


def test_penalty_is_the_formula() -> None:
    """3 / (2 · 6) · (2² + 3² + 5²), whatever the biases."""
    weights = [np.array([[100.0, 2.0, 3.0]]), np.array([[-700.0, 5.0]])]
    assert penalty(weights, 3.0, 6) == pytest.approx(9.5, rel=1e-12)
    assert penalty(weights, 0.0, 6) == 0.0


def test_forward_pass_layer_by_layer() -> None:
    """Each layer is bias plus weights times inputs, then its activation; the last has none."""
    first, second, third = random_weights(3, 4, 2, 5)
    image = np.array([0.2, -1.0, 3.0])
    hidden = np.tanh(first[:, 0] + first[:, 1:] @ image)
    hidden = np.tanh(second[:, 0] + second[:, 1:] @ hidden)
    z = weighted_sums([first, second, third], image[np.newaxis], "tanh")
    np.testing.assert_allclose(z, [third[:, 0] + third[:, 1:] @ hidden], rtol=1e-14)


def test_no_hidden_layer_is_a_network_too() -> None:
    """One matrix alone is logistic regression."""
    (only,) = random_weights(3, 2)
    images = np.array([[0.5, 1.0, -2.0], [0.0, 0.0, 0.0]])
    expected = [[exact_sigmoid(z) for z in only[:, 0] + only[:, 1:] @ image] for image in images]
    np.testing.assert_allclose(predict([only], images), expected, rtol=1e-14)


@pytest.mark.parametrize("examples", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_predicting_in_chunks_changes_nothing(examples: int) -> None:
    """Chunks make no difference, and no images give no predictions."""
    weights = random_weights(6, 5, 10)
    images = np.random.default_rng(3).random((examples, 6))
    probabilities = predict(weights, images, "relu")
    assert probabilities.shape == (examples, 10)
    whole = sigmoid(weighted_sums(weights, images, "relu"))
    np.testing.assert_allclose(probabilities, whole, rtol=1e-13)


def test_predictions_have_the_type_of_the_weights() -> None:
    """Images of another number type are computed with in the weights' own, and left as they are."""
    images = np.random.default_rng(4).random((7, 6))
    before = images.copy()
    assert predict(random_weights(6, 10, dtype="float32"), images).dtype == np.float32
    assert predict(random_weights(6, 10), images.astype(np.float32)).dtype == np.float64
    assert predict(random_weights(6, 10), images.round().astype(np.uint8)).dtype == np.float64
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("shape", [(3, 5), (3, 7), (6,), (3, 2, 3)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    """An image with too few or too many pixels is named, not cut or stretched."""
    with pytest.raises(ValueError, match=r"images \(.*\) for a network of 6 inputs"):
        predict(random_weights(6, 10), np.zeros(shape))
