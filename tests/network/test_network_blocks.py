"""Examples in blocks: the training of the whole set, in the memory of a part of it."""

import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from examples.training import digest

from network import blocks
from network.augmentation import distort
from network.blocks import rows_in_block, rows_in_cache
from network.examples import Examples
from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.optimizer import Optimizer
from network.training_state import TrainingState

MB = 1 << 20


def some_digits(rows: int, **more: Any) -> Examples:
    """Return random images in bytes, and their targets in bytes too."""
    rng = np.random.default_rng(rows)
    images = rng.integers(0, 256, (rows, 16)).astype(np.uint8)
    targets = np.eye(10, dtype=np.uint8)[rng.integers(0, 10, rows)]
    return Examples(images, targets, pixel_max=255.0, **more)


def trained(
    examples: Examples, dtype: str = "float64", **settings: Any
) -> tuple[list[np.ndarray], list[float]]:
    """Train a small network for three epochs and return its weights and costs."""
    sizes = [examples.images.shape[1], 6, 10]
    weights = initial_weights(sizes, np.random.default_rng(0), initialization="glorot", dtype=dtype)
    state = TrainingState.begin(weights, np.random.default_rng(1))
    optimizer = Optimizer(learning_rate=0.5, momentum=0.5, l2=0.1)
    epochs = gradient_descent(state, examples, optimizer, epochs=3, **settings)
    costs = [epoch.cost for epoch in epochs]
    return state.weights, costs


def noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return images that depend on their place and on the generator."""
    return images + rng.normal(0, 0.1, images.shape).astype(images.dtype)


@pytest.mark.parametrize("batch_size", [None, 5, 64, 150])
def test_blocks_train_as_one(monkeypatch: pytest.MonkeyPatch, batch_size: int | None) -> None:
    """Batches inside a block, across two and over many: the same steps as with all in one."""
    digits = some_digits(200)
    whole, costs = trained(digits, batch_size=batch_size)
    monkeypatch.setattr(blocks, "_MOST_ROWS", 33)
    parts, again = trained(digits, batch_size=batch_size)
    assert again == pytest.approx(costs, rel=1e-12)
    for layer, same in zip(parts, whole, strict=True):
        np.testing.assert_allclose(layer, same, rtol=0, atol=1e-12)


@pytest.mark.parametrize("batch_size", [None, 600, 100])
@pytest.mark.parametrize("augment", [None, noisy])
def test_any_number_of_threads_trains_alike(
    monkeypatch: pytest.MonkeyPatch, augment: Callable[..., np.ndarray] | None, batch_size: int
) -> None:
    """One, two and four differ by rounding alone, and each gives the same bytes again."""
    monkeypatch.setattr(blocks, "_MOST_ROWS", 1100)
    digits = some_digits(2300, augment=augment)
    alone, costs = trained(digits, batch_size=batch_size, threads=1)
    for threads in (1, 2, 4):
        weights, found = trained(digits, batch_size=batch_size, threads=threads)
        assert found == pytest.approx(costs, rel=1e-12)
        for layer, same in zip(weights, alone, strict=True):
            np.testing.assert_allclose(layer, same, rtol=0, atol=1e-12)
        again, _ = trained(digits, batch_size=batch_size, threads=threads)
        assert digest(*again) == digest(*weights)


def test_variants_of_blocks_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two blocks of an epoch are altered alike, and the first is as if it were all."""
    monkeypatch.setattr(blocks, "_MOST_ROWS", 50)
    first_draws = []

    def watched(given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        first_draws.append(rng.random())
        return given

    trained(some_digits(200, augment=watched), threads=1)
    assert len(set(first_draws)) == 3 * 4
    draws_of_blocks = first_draws.copy()
    first_draws.clear()
    trained(some_digits(50, augment=watched), threads=1)
    assert first_draws == draws_of_blocks[::4]


def test_variants_do_not_depend_on_the_order_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block's images are altered in the order they are stored in, and then put in batches."""
    given_images = []

    def watched(given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        given_images.append(given)
        return given

    digits = some_digits(90, augment=watched)
    weights, _ = trained(digits, batch_size=20)
    plain, _ = trained(some_digits(90), batch_size=20)
    for images in given_images:
        assert (images == digits.images / np.float64(255)).all()
    # Only the order of the batches, drawn after the variants' seed, is another one.
    assert digest(*weights) != digest(*plain)


@pytest.mark.parametrize(
    ("batch_size", "augment"), [(5, None), (5, noisy), (64, None), (512, None)]
)
def test_small_batches_keep_one_thread_at_work(
    batch_size: int, augment: Callable[..., np.ndarray] | None
) -> None:
    """Below 512 images a second thread reads none: it makes variants only."""
    others = set()

    class Watched(np.ndarray):
        def __getitem__(self, rows: Any) -> np.ndarray:
            others.add(threading.current_thread())
            return np.asarray(self)[rows]

    digits = some_digits(600, augment=augment)
    watched = replace(digits, images=digits.images.view(Watched))
    trained(watched, batch_size=batch_size, threads=2)
    others.discard(threading.current_thread())
    assert bool(others) == (batch_size == 512 or augment is not None)


class Endless:
    """A matrix of so many rows that are made when they are read."""

    def __init__(self, rows: int) -> None:
        self.shape = rows, 400

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        assert len(rows) <= 4096
        return np.repeat((rows % 251).astype(np.uint8)[:, np.newaxis], 400, axis=1)


@pytest.mark.parametrize("batch_size", [None, 10_000, 128])
@pytest.mark.parametrize("augment", [None, distort])
def test_memory_does_not_grow_with_the_examples(
    augment: Callable[..., np.ndarray] | None, batch_size: int | None
) -> None:
    """40,000 images, 64 MB as floats, are trained on in the memory of a few blocks of 6.6 MB."""
    rows = 40_000
    targets = np.zeros((rows, 10), np.uint8)
    examples = Examples(Endless(rows), targets, pixel_max=255.0, augment=augment)
    weights = [np.zeros((10, 401), np.float32)]
    state = TrainingState.begin(weights, np.random.default_rng(0))
    settings: dict[str, Any] = {"epochs": 1, "batch_size": batch_size}
    tracemalloc.start()
    try:
        (epoch,) = gradient_descent(state, examples, Optimizer(0.001), **settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert epoch.cost > 0
    assert peak < 48 * MB


@pytest.mark.parametrize("widest", [10, 4096, 100_000, 262_144, 1 << 25])
def test_blocks_of_wide_networks_have_fewer_rows(widest: int) -> None:
    """A block of the widest layer is at most 64 MB in float32, and never without a row."""
    rows = rows_in_block([400, widest, 10])
    assert 1 <= rows <= 4096
    assert rows == 1 or rows * widest * 4 <= 64 * MB


@pytest.mark.parametrize("batch_size", [1, 32, 128, 700, 4096, 60_000])
@pytest.mark.parametrize("inputs", [16, 784, 1 << 20])
def test_blocks_of_small_batches_fit_the_cache(batch_size: int, inputs: int) -> None:
    """They have whole batches, one at least, in 1 MB of float32; of large batches it is a part."""
    rows = rows_in_cache(4096, batch_size, inputs)
    assert rows == 4096 if batch_size > 4096 else rows % batch_size == 0
    assert 1 <= rows <= 4096
    assert rows <= batch_size or rows * inputs * 4 <= MB
