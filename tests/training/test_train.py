"""Training as a plain function: history, validation part, early stopping, deep networks."""

import numpy as np
import pytest
from examples.digits import easy_digits
from examples.training import CLASSIC, SILENT
from numpy.random import default_rng

from network.convolution import convolutions
from network.model import predict, weighted_sums
from tasks.digits.network_inputs import scaled_images
from tasks.digits.table import Digits
from tasks.errors import DataError, InputError
from tasks.training.ensemble import member_rng, merge_members
from tasks.training.fit import fit
from tasks.training.settings import TrainingSettings


def test_history_has_a_row_an_epoch() -> None:
    """Every epoch's cost is recorded and shown."""
    shown: list[int] = []
    settings = CLASSIC.model_copy(update={"epochs": 4})
    _, history = fit(
        easy_digits(50), settings, default_rng(0), lambda epoch, _: shown.append(epoch)
    )
    assert list(history.columns) == ["epoch", "cost"]
    assert list(history["epoch"]) == shown == [1, 2, 3, 4]


def test_validation_part_is_watched_and_not_trained_on() -> None:
    """Training is that of the other rows alone; the part's cost and accuracy are recorded."""
    digits = easy_digits(100)
    part = Digits(digits.pixels[:80], digits.labels[:80], 8, 255)
    settings = CLASSIC.model_copy(update={"epochs": 3})
    alone, _ = fit(part, settings, default_rng(0), SILENT)
    watched = settings.model_copy(update={"validation_fraction": 0.2})
    weights, history = fit(digits, watched, default_rng(0), SILENT)
    assert all((a == b).all() for a, b in zip(alone, weights, strict=True))
    held_out = digits.pixels[80:] / np.float32(255)
    right = predict(weights, held_out.astype("float32")).argmax(axis=1) == digits.labels[80:]
    assert history["validation_accuracy"].iloc[-1] == right.mean()
    assert (history["validation_cost"] > 0).all()


def test_early_stopping_keeps_the_weights_of_the_least_validation_cost() -> None:
    """Training ends when patience does, with the weights it had when the cost was least."""
    digits = easy_digits(60)
    digits.labels[40:] = np.roll(digits.labels[40:], 1)  # validation labels that teach nothing
    settings = TrainingSettings(
        **CLASSIC.model_dump(exclude={"validation_fraction", "patience", "epochs"}),
        epochs=300,
        validation_fraction=1 / 3,
        patience=5,
    )
    weights, history = fit(digits, settings, default_rng(0), SILENT)
    best = int(history["validation_cost"].idxmin())
    assert len(history) == best + 1 + 5 < 300
    until_best = settings.model_copy(update={"epochs": best + 1, "patience": 0})
    expected, _ = fit(digits, until_best, default_rng(0), SILENT)
    assert all((a == b).all() for a, b in zip(expected, weights, strict=True))


def test_a_validation_part_without_rows_is_refused() -> None:
    """A share that is less than a row is an error that names the setting."""
    settings = CLASSIC.model_copy(update={"validation_fraction": 0.01})
    with pytest.raises(
        DataError, match=r"20 training rows can't be split at `validation_fraction` 0\.01"
    ):
        fit(easy_digits(20), settings, default_rng(0), SILENT)


def test_patience_without_validation_is_refused() -> None:
    """There is nothing to be patient about without a validation part."""
    with pytest.raises(ValueError, match="validation_fraction"):
        TrainingSettings(patience=3)


def test_equal_seeds_give_equal_weights_with_distortion() -> None:
    """Distortions and batches come from the seed too."""
    settings = TrainingSettings(epochs=2, convolutions=(4,), hidden_layers=(16,))
    (first, _), (again, _), (other, _) = (
        fit(easy_digits(64), settings, default_rng(seed), SILENT) for seed in (3, 3, 4)
    )
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_members_differ_and_their_network_is_their_mean() -> None:
    """Each has weights of its own; the ensemble's sums and its history are the means of theirs."""
    digits = easy_digits(60)
    training = CLASSIC.model_copy(update={"epochs": 4, "hidden_layers": (6,)})
    alone = [fit(digits, training, member_rng(5, n), SILENT) for n in range(3)]
    weights, history = merge_members(*zip(*alone, strict=True))
    images = scaled_images(digits, "float32")
    sums = [weighted_sums(each, images, "sigmoid") for each, _ in alone]
    assert not np.array_equal(sums[0], sums[1])
    assert weighted_sums(weights, images, "sigmoid") == pytest.approx(np.mean(sums, axis=0), 1e-4)
    costs = [each["cost"] for _, each in alone]
    assert history["cost"].tolist() == pytest.approx(np.mean(costs, axis=0).tolist(), 1e-12)


def test_a_convolutional_network_is_trained_to_plain_matrices() -> None:
    """One matrix a layer is returned, and kept by patience, with the kernels written out."""
    training = TrainingSettings(
        convolutions=(3,), hidden_layers=(6,), epochs=3, validation_fraction=0.25, patience=3
    )
    weights, _ = fit(easy_digits(40), training, default_rng(1), SILENT)
    (layer,) = convolutions(64, [3])
    assert [matrix.shape for matrix in weights] == [(27, 65), (6, 28), (10, 7)]
    assert layer.kernels(weights[0]).any()


def test_images_too_small_for_the_convolutions_are_refused() -> None:
    """The error says the images' size and what to give instead."""
    with pytest.raises(InputError, match=r"8 × 8 pixels are too small for 3 `convolutions`.*fewer"):
        fit(easy_digits(20), TrainingSettings(convolutions=(2, 2, 2)), default_rng(0), SILENT)
