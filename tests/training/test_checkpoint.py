"""A training that was interrupted resumes where it was, and ends with the same bits."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples.digits import easy_digits
from examples.training import CLASSIC, SILENT, InterruptedTraining, interrupt_at, outcome

from network.training_state import TrainingState
from tasks.training import checkpoint as checkpoint_module
from tasks.training.checkpoint import Checkpoint, Snapshot
from tasks.training.fit import fit
from tasks.training.progress import Show
from tasks.training.settings import TrainingSettings

EPOCHS = 6
RECIPES = {
    "full batch": CLASSIC,
    "convolutions, batches, momentum and distortion": TrainingSettings(
        convolutions=(3,), hidden_layers=(8,), batch_size=16
    ),
    "validation": CLASSIC.model_copy(update={"validation_fraction": 0.2, "patience": 4}),
    "float64": CLASSIC.model_copy(update={"dtype": "float64", "momentum": 0.5}),
}


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save a checkpoint after every epoch, however short."""
    monkeypatch.setattr(checkpoint_module, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(checkpoint_module, "LEAST_SHARE", 0.0)


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_resumed_training_ends_with_the_same_bits(recipe: str, tmp_path: Path) -> None:
    """Interrupted three times, the weights and the whole history are those of one go."""
    training = RECIPES[recipe].model_copy(update={"epochs": EPOCHS})
    digits = easy_digits(100)

    def fitted(show: Show, checkpoint: Checkpoint | None) -> tuple[list[np.ndarray], pd.DataFrame]:
        return fit(digits, training, np.random.default_rng(3), show, checkpoint)

    whole = outcome(*fitted(SILENT, None))
    for stop in (2, 4, 5):
        with pytest.raises(InterruptedTraining):
            fitted(interrupt_at(stop), Checkpoint(tmp_path / "key"))
    begun: list[int] = []
    resumed = fitted(lambda epoch, _: begun.append(epoch), Checkpoint(tmp_path / "key"))
    assert begun == [5, 6], "epochs that were done are not done again"
    assert outcome(*resumed) == whole


@pytest.mark.usefixtures("every_epoch")
def test_a_training_that_ended_by_its_patience_is_not_resumed(tmp_path: Path) -> None:
    """What is interrupted between a training's end and its stored result has its state."""
    training = TrainingSettings(
        convolutions=(2,), hidden_layers=(8,), epochs=9, validation_fraction=0.2, patience=1
    )
    epochs: list[int] = []

    def fitted() -> tuple[list[np.ndarray], pd.DataFrame]:
        rng = np.random.default_rng(3)
        show = lambda epoch, _: epochs.append(epoch)  # noqa: E731
        return fit(easy_digits(100), training, rng, show, Checkpoint(tmp_path / "key"))

    whole = outcome(*fitted())
    assert epochs != list(range(1, 10)), "patience did not end it"
    epochs.clear()
    assert outcome(*fitted()) == whole
    assert epochs == []


def snapshot(epochs: int = 2) -> Snapshot:
    """Return a snapshot with awkward numbers in it."""
    rng = np.random.default_rng(5)
    layers = [rng.normal(size=(4, 3)).astype("float32"), np.array([[np.pi, 1e-310]])]
    history = [{"epoch": n, "cost": 0.1 + n / 3} for n in range(1, epochs + 1)]
    return Snapshot(TrainingState(layers, layers[1:], rng, epochs), history, layers[:1])


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    """Arrays keep their bits and number types; the generator goes on with the same numbers."""
    saved = snapshot()
    Checkpoint(tmp_path / "key").save(saved)
    loaded = Checkpoint(tmp_path / "key").load()
    assert loaded is not None
    for before, now in (
        (saved.state.weights, loaded.state.weights),
        (saved.state.velocity, loaded.state.velocity),
        (saved.best_weights, loaded.best_weights),
    ):
        assert [layer.dtype for layer in before] == [layer.dtype for layer in now]
        assert [layer.tobytes() for layer in before] == [layer.tobytes() for layer in now]
    assert (loaded.history, loaded.state.epoch) == (saved.history, 2)
    assert (loaded.state.rng.random(9) == saved.state.rng.random(9)).all()
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "replaced"])
def test_a_damaged_checkpoint_is_ignored_with_a_warning(
    harm: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Training starts from the beginning, and the log says why."""
    path = tmp_path / "key"
    Checkpoint(path).save(snapshot())
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:-1],
            "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "emptied": b"",
            "replaced": b"something else",
        }[harm]
    )
    with caplog.at_level(logging.WARNING):
        assert Checkpoint(path).load() is None
    assert "checkpoint damaged, training starts from the beginning" in caplog.text


def test_checkpoints_take_a_hundredth_of_the_time_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a save that took two seconds the next is due after two hundred."""
    clock = [0.0]
    monkeypatch.setattr(checkpoint_module.time, "monotonic", lambda: clock[0])
    saved: list[float] = []
    checkpoint = Checkpoint(tmp_path / "key")

    def slow_save(snapshot: Snapshot) -> None:
        saved.append(clock[0])
        clock[0] += 2

    monkeypatch.setattr(checkpoint, "save", slow_save)
    while clock[0] < 500:
        clock[0] += 1
        checkpoint.save_if_due(snapshot())
    assert saved == [5, 207, 409]
