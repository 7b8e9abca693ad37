"""A prediction over shifts is the mean of those for the image moved by each."""

import numpy as np
import pytest

from network.initialization import initial_weights
from network.model import predict, weighted_sums
from network.shifts import PHASES, UNMOVED, moved


def test_images_are_moved_down_and_to_the_right() -> None:
    """What leaves the image is lost, what comes in is blank, and the images stay as they are."""
    image = np.arange(1.0, 10).reshape(1, 9)
    before = image.copy()
    assert moved(image, 0, 1).tolist() == [[0, 1, 2, 0, 4, 5, 0, 7, 8]]
    assert moved(image, 2, 0).tolist() == [[0, 0, 0, 0, 0, 0, 1, 2, 3]]
    assert moved(image, 1, 1).tolist() == [[0, 0, 0, 0, 1, 2, 0, 4, 5]]
    assert not moved(image, 3, 0).any()
    assert (image == before).all()


def test_the_prediction_is_the_mean_over_the_shifts() -> None:
    """Sums before the sigmoid are averaged; over no shift but none, they are the network's own."""
    rng = np.random.default_rng(3)
    weights = initial_weights([16, 7, 4], rng, initialization="he", dtype="float64")
    images = rng.random((5, 16))
    sums = [weighted_sums(weights, moved(images, *by), "relu") for by in PHASES]
    found = weighted_sums(weights, images, "relu", PHASES)
    assert len({each.tobytes() for each in sums}) == 4
    assert found == pytest.approx(np.mean(sums, axis=0), abs=1e-12)
    assert predict(weights, images, "relu", PHASES) == pytest.approx(1 / (1 + np.exp(-found)))
    assert (weighted_sums(weights, images, "relu", UNMOVED) == sums[0]).all()


def test_only_square_images_are_moved() -> None:
    """Pixels that are no square have no rows to move in; unmoved they need none."""
    with pytest.raises(ValueError, match=r"images \(2, 15\) are not square"):
        moved(np.ones((2, 15)), 1, 0)
    assert moved(np.ones((2, 15)), 0, 0).all()
