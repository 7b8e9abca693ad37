"""A run's network as it lies in its folder: the weights, and how to use them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from network.activations import ACTIVATIONS
from network.weights import load_weights
from tasks.digits.classes import DIGITS
from tasks.errors import InputError
from tasks.runs.folders import read_json


@dataclass(frozen=True)
class SavedModel:
    """A trained network and what its inputs looked like."""

    run: str
    weights: list[np.ndarray]  # one a layer, (outputs, inputs + 1), bias in column 0
    activation: str
    image_side: int
    pixel_max: float
    classes: tuple[int, ...]  # the label of each output, ascending


def describe_model(
    weights: list[np.ndarray],
    weights_sha256: str,
    *,
    activation: str,
    image_side: int,
    pixel_max: float,
    classes: Sequence[int],
) -> dict[str, Any]:
    """Return what `model.json` says beside a run's `weights.pkl`."""
    return {
        "sizes": [weights[0].shape[1] - 1, *(layer.shape[0] for layer in weights)],
        "activation": activation,
        "output_activation": "sigmoid",
        "classes": list(classes),
        "image_side": image_side,
        "pixel_order": "row",
        "pixel_max": pixel_max,
        "weights_file": "weights.pkl",
        "weights_sha256": weights_sha256,
        "weights_layout": "one matrix a layer, (outputs, inputs + 1), bias in column 0",
    }


def load_model(folder: Path) -> SavedModel:
    """Load a run's network; the weights are read through the restricted unpickler only.

    Raises:
        InputError: a file is missing, or the weights are not those the run was published with.
        WeightsError: `weights.pkl` is not a list of weight matrices.
    """
    model = read_json(folder / "model.json")
    path = folder / "weights.pkl"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}. Use another run.") from error
    if hashlib.sha256(content).hexdigest() != model.get("weights_sha256"):
        raise InputError(f"{path}: not the weights this run was published with. Use another run.")
    weights = load_weights(path)
    try:
        saved = SavedModel(
            run=folder.name,
            weights=weights,
            activation=str(model["activation"]),
            image_side=int(model["image_side"]),
            pixel_max=float(model["pixel_max"]),
            # None in runs of earlier versions, which knew digits alone.
            classes=tuple(map(int, model.get("classes", DIGITS))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder / 'model.json'}: {error!r}: missing or no number. Use another run."
        ) from error
    sizes = saved.image_side**2 + 1, len(saved.classes)
    if saved.activation not in ACTIVATIONS or sizes != (weights[0].shape[1], len(weights[-1])):
        raise InputError(f"{folder / 'model.json'}: does not fit the weights. Use another run.")
    return saved
