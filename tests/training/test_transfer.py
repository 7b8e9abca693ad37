"""Starting from a trained network: which weights are kept, what is refused, what is recorded."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Digits as DigitsCommand
from examples.digits import easy_digits
from examples.runs import changed, manifest, ran, run
from examples.training import (
    CLASSIC,
    SILENT,
    InterruptedTraining,
    cost,
    digest,
    interrupt_at,
    outcome,
)

from flows.settings import Settings
from network.backpropagation import Backpropagation
from network.ensemble import merge
from network.examples import Examples
from network.gradient_descent import gradient_descent
from network.initialization import initial_weights
from network.optimizer import Optimizer
from network.training_state import TrainingState
from network.weights import WeightsError, dump_weights
from tasks.cache.store import Store, sha256_of
from tasks.digits.table import Digits
from tasks.errors import InputError
from tasks.report.shell_commands import commands
from tasks.runs.manifest import read_manifest
from tasks.training.checkpoint import Checkpoint
from tasks.training.first_weights import Pretrained, first_weights
from tasks.training.fit import fit
from tasks.training.initial_network import find_initial_network
from tasks.training.progress import Show
from tasks.training.settings import TrainingSettings
from tasks.verify import verify

QUICK = CLASSIC.model_copy(update={"epochs": 3, "hidden_layers": (8, 6)})


def some_weights(*sizes: int, dtype: str = "float32") -> list[np.ndarray]:
    """Return random weights, large enough that every layer matters."""
    rng = np.random.default_rng(7)
    return [rng.normal(0, 0.8, layer.shape).astype(dtype) for layer in initial_weights(sizes, rng)]


def fitted(
    digits: Digits, training: TrainingSettings, seed: int, pretrained: Pretrained | None = None
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Train without showing or saving anything."""
    rng = np.random.default_rng(seed)
    return fit(digits, training, rng, SILENT, pretrained=pretrained)


# The network: frozen layers.


@pytest.mark.parametrize("frozen", [0, 1, 2, 3])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_gradients_of_trained_layers_are_those_of_the_whole_network(
    activation: str, frozen: int
) -> None:
    """Freezing leaves out gradients and changes no other; none is made below."""
    rng = np.random.default_rng(2)
    weights = some_weights(9, 7, 5, 6, 4, dtype="float64")
    images = np.column_stack([np.ones(11), rng.random((11, 9))])
    targets = np.eye(4)[:, rng.integers(0, 4, 11)]
    whole = Backpropagation(weights, 11, activation)
    part = Backpropagation(weights, 11, activation, frozen)
    assert part(weights, images, targets, 0.5) == whole(weights, images, targets, 0.5)
    assert len(part.gradients) == len(weights) - frozen
    assert digest(*part.gradients) == digest(*whole.gradients[frozen:])


def test_gradient_above_a_frozen_layer_is_the_slope_of_the_cost() -> None:
    """One step takes the central difference of the cost from trained weights, else nothing."""
    rng = np.random.default_rng(3)
    images, targets = rng.random((6, 9)), np.eye(4)[rng.integers(0, 4, 6)]
    before = some_weights(9, 7, 5, 4, dtype="float64")
    after = [layer.copy() for layer in before]
    state = TrainingState.begin(after, rng, frozen=1)
    optimizer = Optimizer(learning_rate=1.0, l2=3.0)
    (epoch,) = gradient_descent(
        state, Examples(images, targets), optimizer, epochs=1, activation="tanh"
    )
    assert epoch.cost == pytest.approx(cost(before, images, targets, 3.0, "tanh"), rel=1e-12)
    assert digest(before[0]) == digest(after[0])
    for layer, now in zip(before[1:], after[1:], strict=True):
        for place in np.ndindex(layer.shape):
            gradient, value = layer[place] - now[place], layer[place]
            layer[place] = value + 1e-5
            above = cost(before, images, targets, 3.0, "tanh")
            layer[place] = value - 1e-5
            below = cost(before, images, targets, 3.0, "tanh")
            layer[place] = value
            assert gradient == pytest.approx((above - below) / 2e-5, abs=1e-7)


@pytest.mark.parametrize("frozen", [-1, 2])
def test_a_network_without_a_layer_to_train_is_refused(frozen: int) -> None:
    """All layers frozen, or fewer than none, is an error and not a training that does nothing."""
    with pytest.raises(ValueError, match="at least one must be trained"):
        TrainingState.begin(some_weights(4, 3, 2), np.random.default_rng(0), frozen)


def test_freezing_every_layer_is_refused_as_a_setting() -> None:
    """The error names the number of layers before the output, the most that may be frozen."""
    with pytest.raises(
        ValueError, match="`freeze_layers` 4 leaves nothing to train: give 3 at most"
    ):
        TrainingSettings(convolutions=(2, 3), hidden_layers=(9,), freeze_layers=4)


# Training on digits in memory.


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_layers_stay_as_they_were_bit_for_bit(frozen: int) -> None:
    """The first n layers are those of the initial network; all others have learnt."""
    initial = some_weights(64, 8, 6, 10)
    training = QUICK.model_copy(update={"freeze_layers": frozen, "batch_size": 16})
    weights, _ = fitted(easy_digits(50), training, 0, pretrained=Pretrained(initial))
    same = [digest(old) == digest(new) for old, new in zip(initial, weights, strict=True)]
    assert same == [number < frozen for number in range(3)]


@pytest.mark.parametrize("batch_size", [0, 16])
def test_an_interrupted_transfer_ends_with_the_same_bits(
    batch_size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint carries frozen layers and the velocity of the others."""
    monkeypatch.setattr("tasks.training.checkpoint.SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr("tasks.training.checkpoint.LEAST_SHARE", 0)
    initial = Pretrained(some_weights(64, 8, 6, 4))  # its last layer is drawn at random
    update = {"freeze_layers": 1, "momentum": 0.9, "batch_size": batch_size, "epochs": 5}
    training = QUICK.model_copy(update=update)
    digits = easy_digits(60)

    def go(show: Show, checkpoint: Checkpoint | None) -> tuple[list[np.ndarray], pd.DataFrame]:
        return fit(digits, training, np.random.default_rng(3), show, checkpoint, initial)

    whole = outcome(*go(SILENT, None))
    for stop in (2, 4):
        with pytest.raises(InterruptedTraining):
            go(interrupt_at(stop), Checkpoint(tmp_path / "key"))
    begun: list[int] = []
    resumed = go(lambda epoch, _: begun.append(epoch), Checkpoint(tmp_path / "key"))
    assert begun == [4, 5], "epochs that were done are not done again"
    assert outcome(*resumed) == whole


def test_the_same_sizes_go_on_where_the_initial_network_ended() -> None:
    """Two trainings one after the other are one of twice the length, where nothing is random."""
    digits = easy_digits(50)
    once, history = fitted(digits, QUICK.model_copy(update={"epochs": 6}), 0)
    first, _ = fitted(digits, QUICK, 0)
    twice, rest = fitted(digits, QUICK, 1, pretrained=Pretrained(first))
    assert digest(*twice) == digest(*once)
    assert list(rest["cost"]) == list(history["cost"][3:])


def test_another_number_of_outputs_keeps_all_but_the_last_layer() -> None:
    """The last layer is drawn at random, by the seed; the others are copies of the initial ones."""
    initial = some_weights(64, 8, 6, 4)
    weights, again = (
        first_weights([64, 8, 6, 10], QUICK, np.random.default_rng(1), Pretrained(initial))
        for _ in range(2)
    )
    assert digest(*weights[:2]) == digest(*initial[:2])
    assert weights[2].shape == (10, 7)
    assert digest(weights[2]) == digest(again[2])
    assert not np.shares_memory(weights[0], initial[0])


def test_initial_weights_take_on_the_number_type_of_the_training() -> None:
    """A float64 network can be trained further in float32."""
    initial = Pretrained(some_weights(64, 8, 6, 10, dtype="float64"))
    weights = first_weights([64, 8, 6, 10], QUICK, np.random.default_rng(1), initial)
    assert {layer.dtype.name for layer in weights} == {"float32"}


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (
            [64, 9, 10],
            "64 → 8 → 6 → 10, but 64 → 9 → 10 is to be trained. Give `hidden_layers` 8 6",
        ),
        ([64, 8, 5, 10], "64 → 8 → 6 → 10, but 64 → 8 → 5 → 10"),
        ([49, 8, 6, 10], "64 → 8 → 6 → 10, but 49 → 8 → 6 → 10 .* images of 64 pixels, not 49"),
    ],
)
def test_other_widths_are_refused_with_both_shapes(sizes: list[int], words: str) -> None:
    """Hidden layers or images that do not fit are named from input to output, with a remedy."""
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=words):
        first_weights(sizes, QUICK, rng, Pretrained(some_weights(64, 8, 6, 10)))


def test_a_convolutional_network_is_a_start_for_one() -> None:
    """Its kernels are trained on as kernels; other matrices of those sizes are refused."""
    training = QUICK.model_copy(update={"convolutions": (3,), "hidden_layers": (6,)})
    first, _ = fitted(easy_digits(40), training, 0)
    frozen = training.model_copy(update={"freeze_layers": 1})
    further, _ = fitted(easy_digits(40), frozen, 1, pretrained=Pretrained(first))
    assert digest(further[0]) == digest(first[0])
    assert digest(further[1]) != digest(first[1])
    with pytest.raises(InputError, match=r"not convolutional.* an empty `convolutions`"):
        fitted(easy_digits(40), training, 1, pretrained=Pretrained(some_weights(64, 27, 6, 10)))
    with pytest.raises(InputError, match="empty `convolutions` and `hidden_layers` 8 6"):
        fitted(easy_digits(40), training, 1, pretrained=Pretrained(some_weights(64, 8, 6, 10)))


def test_a_member_starts_from_its_own_part_of_an_ensemble() -> None:
    """More members than the ensemble has take its members in turn; wider layers stay refused."""
    sizes, rng = [64, 8, 6, 10], np.random.default_rng(0)
    one = some_weights(*sizes, dtype="float32")
    parts = [one, [-layer for layer in one]]
    ensemble = merge(parts)
    for member, part in enumerate([*parts, parts[0]]):
        weights = first_weights(sizes, QUICK, rng, Pretrained(ensemble, member=member))
        assert digest(*weights[:2]) == digest(*part[:2])
    with pytest.raises(InputError, match="64 → 16 → 12 → 10, but 64 → 8 → 6 → 10"):
        first_weights(sizes, QUICK, rng, Pretrained(some_weights(64, 16, 12, 10)))


# The setting, in the flow.


class Harmful:
    """Pickles to a command that makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return os.system, (f"touch {self.path}",)


def test_no_initial_weights_leave_no_trace_in_the_key(settings: Settings) -> None:
    """A training from random weights has its split as its only input."""
    account = read_manifest(next((settings.artifacts / "runs").iterdir()))
    assert list(account.stages["train"].inputs) == ["train"]
    assert account.initial_weights is None


def test_a_run_may_be_named_in_every_way_and_its_digest_decides(
    settings: Settings, tmp_path: Path
) -> None:
    """Run, latest, champion and a copy elsewhere are the same weights, so the same training."""
    (first,) = (settings.artifacts / "runs").iterdir()
    elsewhere = tmp_path / "elsewhere.pkl"
    elsewhere.write_bytes((first / "weights.pkl").read_bytes())
    published = run(changed(settings, initial_weights="champion"))
    report = (published.directory / "report.md").read_text(encoding="utf-8")
    assert "This training saw none of these digits, but that of its initial weights may" in report
    assert ran(published)[0] == "train"
    account = manifest(published)
    digest = sha256_of(first / "weights.pkl")
    assert account["stages"]["train"]["inputs"]["initial.weights"] == digest
    assert account["initial_weights"]["sha256"] == digest
    again = f"--initial-weights {first / 'weights.pkl'}"
    assert again in commands(account, None), "the champion may be another one tomorrow"
    for given in (first.name, first.name[:24], str(first / "weights.pkl"), str(elsewhere)):
        assert ran(run(changed(settings, initial_weights=given))) == [], given
    verification = verify(published.directory, Store(folder=settings.artifacts))
    assert verification.problems == []


def test_plain_matrices_from_elsewhere_are_a_start(settings: Settings, tmp_path: Path) -> None:
    """A pickled list of arrays that no run made is enough; the cost goes on from it."""
    path = tmp_path / "theirs.pkl"
    path.write_bytes(pickle.dumps(some_weights(64, 40, 3, dtype="float64"), protocol=2))
    published = run(changed(settings, initial_weights=str(path), training={"freeze_layers": 1}))
    assert ran(published)[0] == "train"
    kept = some_weights(64, 40, 3, dtype="float64")[0].astype("float32")
    with (published.directory / "weights.pkl").open("rb") as file:
        assert digest(pickle.load(file)[0]) == digest(kept)  # our own file


@pytest.mark.parametrize("layers", [{}, {"convolutions": (2,), "hidden_layers": ()}])
def test_another_activation_is_refused(settings: Settings, layers: dict[str, Any]) -> None:
    """The initial network's model.json says what its neurons do; weights alone would mislead."""
    training = settings.training.model_copy(update={"activation": "tanh", **layers})
    with pytest.raises(InputError, match=r"are sigmoid, but `activation` is tanh\. Give `activ"):
        find_initial_network("latest", settings.artifacts, training, range(10))


def test_altered_weights_of_a_run_are_refused(settings: Settings) -> None:
    """Weights that are not those of the model.json next to them have an unknown activation."""
    (folder,) = (settings.artifacts / "runs").iterdir()
    (folder / "weights.pkl").write_bytes(dump_weights(some_weights(64, 40, 10)))
    with pytest.raises(InputError, match=r"not the weights that the model\.json next to it"):
        find_initial_network("latest", settings.artifacts, settings.training, range(10))


@pytest.mark.parametrize(
    ("command", "given"), [("train", "nowhere.pkl"), ("train", "2031"), ("sweep", "2031")]
)
def test_a_start_that_is_not_there_is_refused_before_anything_runs(
    digits: DigitsCommand, small_csv: Path, command: str, given: str
) -> None:
    """An unknown run or file is one line and exit code 2."""
    done = digits(command, "--csv", small_csv, "--initial-weights", given)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert given.split(".")[0] in done.stderr or "no complete run yet" in done.stderr


def test_a_malicious_start_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Initial weights go through the restricted unpickler like all others."""
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps([Harmful(tmp_path / "harmed")]))
    with pytest.raises(WeightsError, match=r"system.*refused"):
        run(changed(settings, initial_weights=str(path)))
    assert not (tmp_path / "harmed").exists()
