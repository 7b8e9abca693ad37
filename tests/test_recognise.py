"""The door for Python programs: arrays of images in, labels out, and what is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from examples.digits import PROJECT, easy_digits
from examples.runs import write_champion

from network.initialization import initial_weights
from network.model import predict
from tasks.errors import InputError
from tasks.recognise import load_network, recognise
from tasks.runs.model import SavedModel

IMAGES = easy_digits(30).pixels


@pytest.fixture
def network(tmp_path: Path) -> SavedModel:
    """Return the champion of an artifacts folder: untrained, of 8 × 8 pixels."""
    write_champion(tmp_path, initial_weights((64, 12, 10), np.random.default_rng(0)))
    return load_network(artifacts=str(tmp_path))


@pytest.mark.parametrize("shape", [(30, 64), (30, 8, 8)])
@pytest.mark.parametrize(("dtype", "full"), [("uint8", None), ("int64", None), ("float64", 1.0)])
def test_every_form_of_the_same_images_is_read_alike(
    network: SavedModel, shape: tuple[int, ...], dtype: str, full: float | None
) -> None:
    """Flat or square, bytes or numbers from 0 to 1: labels and probabilities are the network's."""
    images = (IMAGES / 255 if full else IMAGES).astype(dtype).reshape(shape)
    labels, probabilities = recognise(images, network, full)
    expected = predict(network.weights, IMAGES / 255, network.activation)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-6)
    assert labels.tolist() == expected.argmax(axis=1).tolist()


def test_images_are_read_a_block_at_a_time_and_none_are_none(
    network: SavedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size of a block decides no result, and no image is no label."""
    whole = recognise(IMAGES, network)
    monkeypatch.setattr("tasks.recognise.CHUNK", 7)
    for part, expected in zip(recognise(IMAGES, network), whole, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-6)
    labels, probabilities = recognise(IMAGES[:0], network)
    assert (labels.shape, probabilities.shape) == ((0,), (0, 10))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[0], r"shape \(64,\): only reads 8 × 8 pixels. Give an array of \(rows, 8, 8\)"),
        (np.zeros((3, 28, 28)), r"shape \(3, 28, 28\)"),
        (np.full((2, 64), "1"), "type <U1: pixels are numbers"),
        (np.where(np.arange(64) == 5, np.nan, IMAGES), r"images\[0\], pixel 5 is nan. Allowed are"),
        (IMAGES * 5.0, r"Allowed are 0 to 255, .* `pixel_max`"),
        (IMAGES / 255, "no pixel is above .* set `pixel_max` to 1"),
    ],
)
def test_arrays_that_hold_no_such_images_are_refused(
    network: SavedModel, images: np.ndarray, message: str
) -> None:
    """The error says what was found and what is allowed; it is a ValueError."""
    with pytest.raises(InputError, match=message):
        recognise(images, network)


def test_a_program_that_predicts_needs_no_prefect() -> None:
    """Nor pandas, matplotlib or SciPy: each takes a second to import."""
    slow = "{'prefect', 'pandas', 'matplotlib', 'scipy'}"
    program = f"import sys, tasks.recognise; print(*{slow} & set(sys.modules))"
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
