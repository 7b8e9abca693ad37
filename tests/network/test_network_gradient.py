"""The gradient is the slope of the cost: by differences, by hand, and by another library."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from examples.training import cost

from network.backpropagation import Backpropagation
from network.examples import Examples
from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.model import predict
from network.optimizer import Optimizer
from network.sharding import SMALLEST_SHARD, ShardedBackpropagation
from network.training_state import TrainingState


def some_digits(examples: int, inputs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return random images and one-hot targets in float64."""
    rng = np.random.default_rng(seed)
    return rng.random((examples, inputs)), np.eye(10)[rng.integers(0, 10, examples)]


def gradient_by_one_step(
    weights: list[np.ndarray], images: np.ndarray, targets: np.ndarray, l2: float, activation: str
) -> list[np.ndarray]:
    """Return what one step of length 1 takes from the weights: their gradient."""
    state = TrainingState.begin([layer.copy() for layer in weights], np.random.default_rng(0))
    optimizer = Optimizer(learning_rate=1.0, l2=l2)
    steps = gradient_descent(
        state, Examples(images, targets), optimizer, epochs=1, activation=activation
    )
    (epoch,) = steps
    assert epoch.cost == pytest.approx(cost(weights, images, targets, l2, activation), rel=1e-12)
    return [old - new for old, new in zip(weights, state.weights, strict=True)]


@pytest.mark.parametrize("l2", [0.0, 3.0])
@pytest.mark.parametrize("hidden", [[], [7], [7, 5], [7, 5, 6], [5] * 5])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_gradient_is_the_slope_of_the_cost(activation: str, hidden: list[int], l2: float) -> None:
    """Every weight's gradient is the central difference of the cost, whatever the network."""
    images, targets = some_digits(6, 9)
    rng = np.random.default_rng(1)
    # Large enough that every layer matters, biases included.
    weights = [rng.normal(0, 0.8, layer.shape) for layer in initial_weights([9, *hidden, 10], rng)]
    gradients = gradient_by_one_step(weights, images, targets, l2, activation)
    step = 1e-5
    for layer, gradient in zip(weights, gradients, strict=True):
        for place in np.ndindex(layer.shape):
            value = layer[place]
            layer[place] = value + step
            above = cost(weights, images, targets, l2, activation)
            layer[place] = value - step
            below = cost(weights, images, targets, l2, activation)
            layer[place] = value
            assert gradient[place] == pytest.approx((above - below) / (2 * step), abs=1e-7)


def test_one_pass_worked_by_hand() -> None:
    """Forward and back propagation give the numbers one gets with pencil and paper."""
    hidden = np.array([[0.0, 0.5, -1.0]])  # bias 0, weights 0.5 and -1
    output = np.array([[np.log(3) - 1, 2.0]])  # bias ln 3 - 1, weight 2
    image = np.array([[1.0, 0.5]])
    # Forward: z = 0 + 0.5 · 1 - 1 · 0.5 = 0, a = 1/2; z = ln 3 - 1 + 2 · 1/2 = ln 3, a = 3/4.
    assert predict([hidden, output], image) == pytest.approx(0.75)
    backpropagate = Backpropagation([hidden, output], examples=1, activation="sigmoid")
    with_one = np.array([[1.0, 1.0, 0.5]])
    # The target is 1, so the cost is -ln 3/4.
    found = backpropagate([hidden, output], with_one, np.array([[1.0]]))
    assert found == pytest.approx(-np.log(0.75))
    # Back: error 3/4 - 1 = -1/4, times the inputs (1, 1/2); then -1/4 · 2 · 1/2 (1 - 1/2) = -1/8,
    # times the inputs (1, 1, 1/2).
    assert backpropagate.gradients[1] == pytest.approx(np.array([[-0.25, -0.125]]))
    assert backpropagate.gradients[0] == pytest.approx(np.array([[-0.125, -0.125, -0.0625]]))


@pytest.mark.parametrize(("activation", "theirs"), [("sigmoid", "logistic"), ("relu", "relu")])
def test_scikit_learn_takes_the_same_steps(activation: str, theirs: str) -> None:
    """Five steps with momentum and L2 end at scikit-learn's weights, an independent program."""
    from sklearn.neural_network import MLPClassifier

    images, targets = some_digits(50, 12)
    peer = MLPClassifier(
        hidden_layer_sizes=(8, 6),
        activation=theirs,
        solver="sgd",
        alpha=2.0,
        batch_size=50,
        learning_rate_init=0.3,
        momentum=0.9,
        nesterovs_momentum=False,
        shuffle=False,
        random_state=0,
    )
    peer.partial_fit(images, targets.astype(int), classes=np.arange(10))
    del peer._optimizer  # its velocity; the weights are all that is taken over
    weights = [
        np.column_stack([biases, coefficients.T])
        for biases, coefficients in zip(peer.intercepts_, peer.coefs_, strict=True)
    ]
    epochs = gradient_descent(
        TrainingState.begin(weights, np.random.default_rng(0)),
        Examples(images, targets),
        Optimizer(learning_rate=0.3, momentum=0.9, l2=2.0),
        epochs=5,
        activation=activation,
    )
    for epoch in epochs:
        peer.partial_fit(images, targets.astype(int))
        assert epoch.cost == pytest.approx(peer.loss_, rel=1e-9)
    for layer, biases, coefficients in zip(weights, peer.intercepts_, peer.coefs_, strict=True):
        assert layer[:, 0] == pytest.approx(biases, abs=1e-12)
        assert pytest.approx(coefficients, abs=1e-12) == layer[:, 1:].T


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_shards_give_the_gradient_of_the_whole_batch(shards: int) -> None:
    """Cutting a batch in shards changes neither its cost nor its gradient."""
    examples = 2 * SMALLEST_SHARD + 1
    images, targets = some_digits(examples, 12)
    with_ones = np.insert(images, 0, 1.0, axis=1)
    weights = initial_weights(
        [12, 8, 10], np.random.default_rng(0), initialization="glorot", dtype=np.float64
    )
    whole = Backpropagation(weights, examples, "tanh")
    expected = whole(weights, with_ones, targets.T, 0.1)
    with ThreadPoolExecutor(1) as executor:
        sharded = ShardedBackpropagation(weights, examples, "tanh", executor, shards)
        assert sharded(weights, with_ones, targets.T, 0.1) == pytest.approx(expected, rel=1e-12)
    for found, gradient in zip(sharded.gradients, whole.gradients, strict=True):
        assert found == pytest.approx(gradient, rel=1e-9, abs=1e-12)
