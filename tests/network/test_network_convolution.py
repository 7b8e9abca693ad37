"""Convolutional layers: the matrix they are, the gradient of their kernels, what is refused."""

import numpy as np
import pytest
from examples.training import cost
from scipy import ndimage

from network.convolution import Convolution, convolutions, plain_matrices
from network.examples import Examples
from network.gradient_descent import gradient_descent
from network.model import weighted_sums
from network.optimizer import Optimizer
from network.training_state import TrainingState


def small_network(rng: np.random.Generator) -> tuple[list[np.ndarray], list[Convolution]]:
    """Return 9 × 9 pixels → 2 maps → 3 maps → 4 → 5 outputs, weights and layers."""
    layers = convolutions(81, [2, 3])
    shapes = [(2, 26), (3, 51), (4, layers[-1].outputs + 1), (5, 5)]
    return [rng.normal(0, 0.6, shape) for shape in shapes], layers


@pytest.mark.parametrize("side", [3, 4, 9, 20])
def test_the_matrix_correlates_every_map_with_every_kernel(side: int) -> None:
    """It does what SciPy's correlation does at every second pixel of the bordered maps."""
    rng = np.random.default_rng(side)
    layer = Convolution(maps_before=3, side=side, maps=2)
    kernels = rng.normal(size=(2, 1 + 3 * 25))
    maps = rng.random((3, side, side))
    expected = [
        kernel[0]
        + sum(
            ndimage.correlate(one, weights, mode="constant")[1:-1:2, 1:-1:2]  # 0 around it
            for one, weights in zip(maps, kernel[1:].reshape(3, 5, 5), strict=True)
        )
        for kernel in kernels
    ]
    z = weighted_sums([layer.matrix(kernels)], maps.reshape(1, -1))
    np.testing.assert_allclose(z[0], np.ravel(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("frozen", [0, 1, 2])
@pytest.mark.parametrize("l2", [0.0, 3.0])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_gradient_of_the_kernels_is_the_slope_of_the_plain_network_s_cost(
    activation: str, l2: float, frozen: int
) -> None:
    """One step takes the central difference of the cost, whose penalty counts every use."""
    rng = np.random.default_rng(3)
    weights, layers = small_network(rng)
    images, targets = rng.random((6, 81)), np.eye(5)[rng.integers(0, 5, 6)]
    state = TrainingState.begin([layer.copy() for layer in weights], rng, frozen, layers)
    optimizer = Optimizer(learning_rate=1.0, l2=l2)
    (epoch,) = gradient_descent(
        state, Examples(images, targets), optimizer, epochs=1, activation=activation
    )

    def cost_now() -> float:
        return cost(plain_matrices(weights, layers), images, targets, l2, activation)

    assert epoch.cost == pytest.approx(cost_now(), rel=1e-12)
    for number, (layer, after) in enumerate(zip(weights, state.weights, strict=True)):
        gradient = layer - after
        if number < frozen:
            assert not gradient.any()
            continue
        for place in [*np.ndindex(layer.shape)][:: 1 + layer.size // 20]:
            value, costs = layer[place], []
            for step in (1e-5, -1e-5):
                layer[place] = value + step
                costs.append(cost_now())
            layer[place] = value
            assert gradient[place] == pytest.approx((costs[0] - costs[1]) / 2e-5, abs=1e-7)


def test_kernels_are_found_again_in_the_matrix_they_wrote() -> None:
    """What is read from a matrix writes out the same; one weight changed, and it is refused."""
    rng = np.random.default_rng(4)
    for layer in convolutions(400, [3, 2]):
        matrix = layer.matrix(rng.normal(size=(layer.maps, 1 + layer.weights_per_kernel)))
        np.testing.assert_array_equal(layer.matrix(layer.kernels(matrix)), matrix)
        matrix[-1, 1] += 1
        with pytest.raises(ValueError, match="not that of"):
            layer.kernels(matrix)
        with pytest.raises(ValueError, match="not that of"):
            layer.kernels(matrix[1:])


def test_shapes_follow_from_the_image() -> None:
    """Each layer has about half the side of the one before; there is an end to that."""
    layers = convolutions(400, [16, 48])
    assert [(layer.side, layer.side_after, layer.outputs) for layer in layers] == [
        (20, 9, 1296),
        (9, 4, 768),
    ]
    assert [layer.side_after for layer in convolutions(784, [1, 1, 1])] == [13, 6, 2]
    with pytest.raises(ValueError, match="2 convolutional layers are too many for 16 pixels"):
        convolutions(16, [4, 4])
    with pytest.raises(ValueError, match="80 pixels are not square"):
        convolutions(80, [4])
