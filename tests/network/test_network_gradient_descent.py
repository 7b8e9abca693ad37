"""Gradient descent: the formulas it follows, what its bytes depend on, and what it refuses."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from examples.training import digest
from threadpoolctl import threadpool_info, threadpool_limits

from network.backpropagation import Backpropagation
from network.batch_gradient import GradientSettings, batch_gradient, threads_at_work
from network.examples import Examples
from network.gradient_descent import DivergenceError, gradient_descent
from network.initialization import initial_weights
from network.model import predict
from network.optimizer import Optimizer
from network.training_state import TrainingState

PROJECT = Path(__file__).resolve().parents[2]
OPTIMIZER = Optimizer(learning_rate=0.5, l2=0.1)


def every_fifth_digit(dtype: str) -> Examples:
    """Return 1000 of the shipped digits, 100 of each, scaled to 0 … 1, and their targets."""
    table = pd.read_csv(PROJECT / "data" / "digits.csv", header=None).to_numpy()[::5]
    return Examples((table[:, :-1] / 255).astype(dtype), np.eye(10, dtype=dtype)[table[:, -1]])


def easy_digits(examples: int, dtype: str = "float32") -> Examples:
    """Return images of 20 pixels, of which two show the digit, and their targets."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, examples)
    images = rng.random((examples, 20)) * 0.5
    images[np.arange(examples), 2 * labels] += 0.5
    images[np.arange(examples), 2 * labels + 1] += 0.5
    return Examples(images.astype(dtype), np.eye(10, dtype=dtype)[labels])


def random_weights(*sizes: int, dtype: str = "float32") -> list[np.ndarray]:
    """Return weights in ±0.5, the same for the same sizes."""
    rng = np.random.default_rng(2)
    return [
        rng.uniform(-0.5, 0.5, (outputs, inputs + 1)).astype(dtype)
        for inputs, outputs in pairwise(sizes)
    ]


def trained(
    weights: list[np.ndarray],
    examples: Examples,
    rng: np.random.Generator | None = None,
    *,
    epochs: int = 5,
    optimizer: Optimizer = OPTIMIZER,
    **settings: Any,
) -> tuple[list[np.ndarray], list[float]]:
    """Train a copy of the weights, with settings that suit `easy_digits` where none are given."""
    rng = np.random.default_rng(3) if rng is None else rng
    state = TrainingState.begin([layer.copy() for layer in weights], rng)
    settings = {"optimizer": optimizer, "epochs": epochs, **settings}
    costs = [epoch.cost for epoch in gradient_descent(state, examples, **settings)]
    return state.weights, costs


def plain_formulas(
    weights: list[np.ndarray], digits: Examples, learning_rate: float, l2: float
) -> Iterator[float]:
    """Train one hidden layer on the full batch as the textbook writes it, yielding each cost."""
    hidden, output = weights
    examples, targets = len(digits), digits.targets
    x = np.column_stack([np.ones(examples), digits.images])
    while True:
        h = np.column_stack([np.ones(examples), 1 / (1 + np.exp(-(x @ hidden.T)))])
        a = 1 / (1 + np.exp(-(h @ output.T)))
        fit = -(targets * np.log(a) + (1 - targets) * np.log(1 - a)).sum() / examples
        squares = (hidden[:, 1:] ** 2).sum() + (output[:, 1:] ** 2).sum()
        yield fit + l2 / (2 * examples) * squares
        error = a - targets
        hidden_error = (error @ output[:, 1:]) * h[:, 1:] * (1 - h[:, 1:])
        output_gradient = error.T @ h / examples
        output_gradient[:, 1:] += l2 / examples * output[:, 1:]
        hidden_gradient = hidden_error.T @ x / examples
        hidden_gradient[:, 1:] += l2 / examples * hidden[:, 1:]
        output -= learning_rate * output_gradient
        hidden -= learning_rate * hidden_gradient


def test_classic_training_follows_the_plain_formulas() -> None:
    """40 hidden neurons from ±0.01, rate 1.2, l2 1, 400 steps: each cost is the formula's."""
    digits = every_fifth_digit("float64")
    weights = initial_weights((400, 40, 10), np.random.default_rng(0), dtype="float64")
    reference = [layer.copy() for layer in weights]
    assert 0.0099 < max(abs(layer).max() for layer in weights) <= 0.01
    with threadpool_limits(1, user_api="blas"):  # more would wait for each other on busy cores
        expected_costs = plain_formulas(reference, digits, 1.2, 1.0)
        expected = [next(expected_costs) for _ in range(401)][:400]
    after, costs = trained(weights, digits, optimizer=Optimizer(1.2, l2=1.0), epochs=400)
    np.testing.assert_allclose(costs, expected, rtol=0, atol=1e-9)
    for layer, same in zip(after, reference, strict=True):
        np.testing.assert_allclose(layer, same, rtol=0, atol=1e-7)
    # The training gets somewhere, so the comparison was not of two standing stills.
    assert costs[0] > 6.5
    assert costs[-1] < 0.7
    # The largest of ten outputs is the digit.
    found = predict(after, digits.images).argmax(axis=1)
    assert (found == digits.targets.argmax(axis=1)).mean() > 0.97


@pytest.mark.parametrize("batch_size", [None, 64, 520])
def test_same_seed_gives_the_same_bytes(batch_size: int | None) -> None:
    """Weights and costs are a function of settings and seed; another seed, another order."""
    digits, weights = easy_digits(1100), random_weights(20, 8, 10)
    first, second, other = (
        trained(weights, digits, np.random.default_rng(seed), batch_size=batch_size)
        for seed in (5, 5, 6)
    )
    assert digest(*first[0]) == digest(*second[0])
    assert first[1] == second[1]
    if batch_size is None:
        assert digest(*first[0]) == digest(*other[0])
    else:
        assert digest(*first[0]) != digest(*other[0])


def test_full_batch_leaves_the_generator_alone() -> None:
    """Nothing is drawn where nothing is random."""
    rng = np.random.default_rng(7)
    trained(random_weights(20, 8, 10), easy_digits(100), rng)
    assert rng.bit_generator.state == np.random.default_rng(7).bit_generator.state


TRAIN_AND_PRINT_DIGEST = """
import os, sys
if sys.argv[1] == "one core" and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
from network.examples import Examples
from network.gradient_descent import gradient_descent
from network.optimizer import Optimizer
from network.training_state import TrainingState
rng = np.random.default_rng(4)
weights = [rng.uniform(-0.1, 0.1, shape).astype("float32") for shape in ((40, 401), (10, 41))]
images = rng.random((1200, 400), dtype="float32")
examples = Examples(images, np.eye(10, dtype="float32")[rng.integers(0, 10, 1200)])
optimizer = Optimizer(learning_rate=0.5, l2=1.0, momentum=0.5)
for batch_size, threads in ((None, 2), (None, 4), (600, 2), (100, 2)):
    state = TrainingState.begin(weights, rng)
    settings = {"batch_size": batch_size, "threads": threads}
    list(gradient_descent(state, examples, optimizer, epochs=3, **settings))
sys.stdout.write(b"".join(layer.tobytes() for layer in weights).hex())
"""


def test_bytes_do_not_depend_on_cores_or_blas_threads() -> None:
    """One core or all, one thread for the matrix library or four: the same weights, bit by bit."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN_AND_PRINT_DIGEST, cores],
            cwd=PROJECT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            stdout=subprocess.PIPE,
        )
        for cores, threads in (("one core", "1"), ("all cores", "1"), ("all cores", "4"))
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(outputs[0]) == 8 * (40 * 401 + 10 * 41)
    assert outputs[0] == outputs[1] == outputs[2]


def test_matrix_library_gets_its_threads_back() -> None:
    """The limit of one thread holds during training only, also if the training is abandoned."""
    state = TrainingState.begin(random_weights(20, 10), np.random.default_rng(0))
    with threadpool_limits(2, user_api="blas"):
        before = threadpool_info()
        epochs = gradient_descent(state, easy_digits(20), Optimizer(0.1), epochs=3)
        next(epochs)
        epochs.close()
        assert threadpool_info() == before


@pytest.mark.parametrize(("batch_size", "expected"), [(63, 1), (64, 2), (511, 2), (512, 1)])
def test_small_batches_keep_one_thread_at_work(batch_size: int, expected: int) -> None:
    """Larger ones share their products, and the largest are shards of one thread each."""
    settings = GradientSettings("relu", 2)
    with batch_gradient(random_weights(20, 10), easy_digits(20), [], batch_size, settings):
        of_a_product = {
            each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
        }
    assert of_a_product == {expected}
    assert threads_at_work(batch_size, False, 2) == (2 if batch_size == 512 else expected)
    assert threads_at_work(batch_size, True, 2) == 2


def test_more_l2_gives_smaller_weights() -> None:
    """The sum of the squared weights, without the biases, falls as the penalty rises."""
    digits, weights = easy_digits(200), random_weights(20, 8, 10)
    squares = []
    for l2 in (0.0, 1.0, 10.0, 100.0):
        after, _ = trained(weights, digits, optimizer=Optimizer(0.5, l2=l2), epochs=200)
        squares.append(sum(float(np.square(layer[:, 1:]).sum()) for layer in after))
    assert squares == sorted(squares, reverse=True)
    assert squares[-1] < squares[0] / 10


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (30,), (30, 30)])
def test_tiny_set_is_learned_by_heart(hidden: tuple[int, ...], activation: str) -> None:
    """Eight images with random labels are all classified right, at a cost close to 0."""
    rng = np.random.default_rng(8)
    digits = Examples(rng.random((8, 20)), np.eye(10)[rng.integers(0, 10, 8)])
    after, costs = trained(
        random_weights(20, *hidden, 10, dtype="float64"),
        digits,
        optimizer=Optimizer(0.1, momentum=0.9),
        epochs=1000,
        activation=activation,
    )
    assert costs[-1] < 0.05
    found = predict(after, digits.images, activation).argmax(axis=1)
    assert (found == digits.targets.argmax(axis=1)).all()


def test_velocity_keeps_its_share_of_the_last_step() -> None:
    """Each step is momentum times the one before plus rate times the gradient at hand."""
    digits = easy_digits(50, "float64")
    start = random_weights(20, 6, 10, dtype="float64")
    gradients = []
    expected = [layer.copy() for layer in start]
    steps = [np.zeros_like(layer) for layer in start]
    for _ in range(4):
        # A step without momentum and of length 1 is the gradient.
        after, _ = trained(expected, digits, optimizer=Optimizer(1.0, l2=0.1), epochs=1)
        gradients = [old - new for old, new in zip(expected, after, strict=True)]
        for layer, step, gradient in zip(expected, steps, gradients, strict=True):
            step[...] = 0.7 * step + 0.2 * gradient
            layer -= step
    state = TrainingState.begin(start, np.random.default_rng(0))
    list(gradient_descent(state, digits, Optimizer(0.2, momentum=0.7, l2=0.1), epochs=4))
    everything = zip(state.weights, expected, state.velocity, steps, strict=True)
    for layer, same, speed, step in everything:
        np.testing.assert_allclose(layer, same, atol=1e-13)
        np.testing.assert_allclose(np.abs(speed), np.abs(step), atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 7, 16, 49])
def test_mini_batches_meet_every_example_once_an_epoch(batch_size: int) -> None:
    """With steps too small to matter, an epoch's cost is that of the whole set, in any batches.

    Each example costs differently, so one left out or met twice would show.
    """
    digits = easy_digits(50, "float64")
    digits.images[:] *= np.linspace(0.1, 20, 50)[:, np.newaxis]
    weights = random_weights(20, 10, dtype="float64")
    still = Optimizer(learning_rate=1e-18, l2=0.1)
    _, whole = trained(weights, digits, optimizer=still, epochs=1)
    _, batched = trained(weights, digits, optimizer=still, epochs=5, batch_size=batch_size)
    np.testing.assert_allclose(batched, whole * 5, rtol=1e-13)


def test_mini_batches_come_in_a_new_order_every_epoch() -> None:
    """The steps of an epoch are those of the batches of `rng.permutation`, a new one for each."""
    digits = easy_digits(30, "float64")
    start = random_weights(20, 10, dtype="float64")
    plain = Optimizer(learning_rate=0.5)
    weights, _ = trained(start, digits, optimizer=plain, epochs=3, batch_size=8)
    expected = start
    rng = np.random.default_rng(3)  # as in `trained`
    for _ in range(3):
        order = rng.permutation(30)
        for batch in (order[:8], order[8:16], order[16:24], order[24:]):
            part = Examples(digits.images[batch], digits.targets[batch])
            expected, _ = trained(expected, part, optimizer=plain, epochs=1)
    for layer, same in zip(weights, expected, strict=True):
        np.testing.assert_allclose(layer, same, atol=1e-13)


@pytest.mark.parametrize("examples", [511, 512, 513, 700, 1100])
def test_batches_in_shards_are_stepped_as_wholes(examples: int) -> None:
    """Cut for two threads or not, and the last one however small, a batch gives its own step."""
    digits = easy_digits(examples, "float64")
    start = random_weights(20, 6, 10, dtype="float64")
    weights, (cost,) = trained(start, digits, optimizer=Optimizer(0.5), epochs=1, batch_size=512)
    expected = [layer.copy() for layer in start]
    order = np.random.default_rng(3).permutation(examples)  # as in `trained`
    expected_cost = 0.0
    for first in range(0, examples, 512):
        batch = order[first : first + 512]
        whole = Backpropagation(expected, len(batch), "sigmoid")
        with_ones = np.insert(digits.images[batch], 0, 1.0, axis=1)
        expected_cost += whole(expected, with_ones, np.ascontiguousarray(digits.targets[batch].T))
        for layer, gradient in zip(expected, whole.gradients, strict=True):
            layer -= 0.5 / len(batch) * gradient
    assert cost == pytest.approx(expected_cost / examples, rel=1e-13)
    for layer, same in zip(weights, expected, strict=True):
        np.testing.assert_allclose(layer, same, atol=1e-13)


def test_batch_larger_than_the_set_is_the_set() -> None:
    """More examples a step than there are is all of them, in their own order."""
    digits, weights = easy_digits(30), random_weights(20, 10)
    whole, _ = trained(weights, digits)
    larger, _ = trained(weights, digits, batch_size=31)
    assert digest(*whole) == digest(*larger)


def _noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return images + rng.normal(0, 0.01, images.shape).astype(images.dtype)


@pytest.mark.parametrize("augment", [None, _noisy])
@pytest.mark.parametrize("batch_size", [None, 16])
def test_interrupted_training_resumes_as_if_it_had_not_been(
    batch_size: int | None, augment: Callable[..., np.ndarray] | None
) -> None:
    """Stopped after epoch 3 of 8 and continued from its state, it ends at the same bytes."""
    digits, start = replace(easy_digits(60), augment=augment), random_weights(20, 8, 10)
    settings: dict[str, Any] = {
        "optimizer": Optimizer(0.4, schedule="cosine", momentum=0.9, l2=0.2),
        "epochs": 8,
        "batch_size": batch_size,
    }
    straight, costs = trained(start, digits, np.random.default_rng(9), **settings)
    state = TrainingState.begin(start, np.random.default_rng(9))
    first = []
    for epoch in gradient_descent(state, digits, **settings):
        first.append(epoch)
        if epoch.number == 3:
            break
    assert state.epoch == 3
    saved = copy.deepcopy(state)
    rest = list(gradient_descent(saved, digits, **settings))
    assert [epoch.number for epoch in first + rest] == list(range(1, 9))
    assert [epoch.cost for epoch in first + rest] == costs
    assert digest(*saved.weights) == digest(*straight)


@pytest.mark.parametrize("examples", [60, 1100])  # the latter in shards, on a thread of its own
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_divergence_ends_training_with_epoch_and_advice(
    activation: str, dtype: str, examples: int
) -> None:
    """A cost beyond all numbers ends the training with the way out, and without a warning."""
    weights = random_weights(20, 8, 8, 10, dtype=dtype)
    largest = float(np.finfo(dtype).max)
    costs = []
    epochs = gradient_descent(
        TrainingState.begin(weights, np.random.default_rng(0)),
        easy_digits(examples, dtype),
        Optimizer(learning_rate=largest**0.6, momentum=0.5, l2=1.0),
        epochs=50,
        activation=activation,
    )
    with pytest.raises(DivergenceError) as caught:
        costs.extend(epoch.cost for epoch in epochs)
    assert np.isfinite(costs).all()
    message = str(caught.value)
    assert message.startswith(f"epoch {len(costs) + 1}: ")
    assert f"lower `learning_rate` (now {largest**0.6:g}) or `momentum` (now 0.5)." in message
    assert len(costs) < 10


@pytest.mark.parametrize("examples", [60, 1100])
@pytest.mark.parametrize("hidden", [(8,), (8, 8)])
@pytest.mark.parametrize("power", range(3, 39, 5))
def test_steps_too_long_never_warn(power: int, hidden: tuple[int, ...], examples: int) -> None:
    """Whichever sum overflows first, in whichever thread, the error is divergence.

    A warning would be an error here, as everywhere in these tests.
    """
    weights = random_weights(20, *hidden, 10)
    too_long = Optimizer(learning_rate=10.0**power, l2=examples / 10)
    with pytest.raises(DivergenceError, match="Training diverged: lower `learning_rate`"):
        trained(weights, easy_digits(examples), optimizer=too_long, epochs=30, activation="relu")


def test_last_step_may_not_be_the_one_too_long() -> None:
    """No training ends well with weights that are not numbers, though no cost was taken of them."""
    with pytest.raises(DivergenceError, match=r"epoch 1: .* lower `learning_rate`"):
        trained(random_weights(20, 10), easy_digits(20), optimizer=Optimizer(1e40), epochs=1)


def test_divergence_within_an_epoch_ends_it() -> None:
    """A mini-batch whose cost is not a number is the last one, however many are left."""
    weights = random_weights(20, 10)
    weights[0][0, 0] = np.nan
    before = digest(*weights)
    state = TrainingState.begin(weights, np.random.default_rng(0))
    state.epoch = 3
    with pytest.raises(DivergenceError, match="epoch 4: the cost became nan"):
        list(gradient_descent(state, easy_digits(40), Optimizer(0.1), epochs=9, batch_size=4))
    assert digest(*weights) == before


@pytest.mark.parametrize(
    ("images", "targets", "message"),
    [
        ((30, 19), (30, 10), "images of 19 inputs .* network of 20 inputs"),
        ((30, 21), (30, 10), "images of 21 inputs .* network of 20 inputs"),
        ((600,), (30, 10), r"images \(600,\) .* a row an example"),
        ((30, 4, 5), (30, 10), r"images \(30, 4, 5\) .* a row an example"),
        ((30, 20), (29, 10), r"targets \(29, 10\): expected a row an example in both"),
        ((30, 20), (30, 9), "targets of 9 outputs .* 10 outputs"),
        ((30, 20), (30, 1), "targets of 1 outputs .* 10 outputs"),
        ((30, 20), (30,), r"targets \(30,\): expected"),
        ((10, 20), (10,), r"targets \(10,\): expected"),
        ((0, 20), (0, 10), "no images"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    images: tuple[int, ...], targets: tuple[int, ...], message: str
) -> None:
    """Nothing is stretched to fit: the error names the shape found, and no weight is changed."""
    weights = random_weights(20, 8, 10)
    before = digest(*weights)
    state = TrainingState.begin(weights, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        next(
            gradient_descent(
                state, Examples(np.zeros(images), np.zeros(targets)), Optimizer(0.1), epochs=1
            )
        )
    assert digest(*weights) == before
