"""The weights before training: drawn with the spread that their activation needs."""

import math

import numpy as np
import pytest

from network.initialization import initial_weights


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
