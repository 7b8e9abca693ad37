"""A run's network in its folder: the weights, and what is needed to use them."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from network.activations import ACTIVATIONS
from network.model import predict
from network.shifts import PHASES, UNMOVED, Shifts
from network.weights import WeightsError, load_weights
from tasks.cache.json_file import write_json
from tasks.cache.store import damage, sha256_of
from tasks.errors import InputError
from tasks.runs.folders import read_json

WEIGHTS, MODEL = "weights.pkl", "model.json"


@dataclass(frozen=True)
class SavedModel:
    """A trained network and what its inputs looked like."""

    run: str
    weights: list[np.ndarray]  # one a layer, (outputs, inputs + 1), bias in column 0
    activation: str
    image_side: int
    pixel_max: float
    classes: tuple[int, ...]  # the label of each output, ascending
    shifts: Shifts = UNMOVED  # what its predictions are averaged over

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the probability of each class, (images, outputs), as `network.model.predict`.

        Args:
            images: (images, image_side²), 1 for full ink.
        """
        return predict(self.weights, images, self.activation, self.shifts)


def describe_network(model: SavedModel) -> dict[str, Any]:
    """Return what is needed, besides the weights, to use a network."""
    averaged = {} if model.shifts == UNMOVED else {"shifts": [list(by) for by in model.shifts]}
    return {
        "sizes": [model.weights[0].shape[1] - 1, *(len(layer) for layer in model.weights)],
        "activation": model.activation,
        "output_activation": "sigmoid",
        "classes": list(model.classes),
        "image_side": model.image_side,
        "pixel_order": "row",
        "pixel_max": model.pixel_max,
        **averaged,
    }


def describe_model(model: SavedModel, weights_sha256: str) -> dict[str, Any]:
    """Return what `model.json` says about a run's `weights.pkl`, which has this digest."""
    return {
        **describe_network(model),
        "weights_file": WEIGHTS,
        "weights_sha256": weights_sha256,
        "weights_layout": "one matrix a layer, (outputs, inputs + 1), bias in column 0",
    }


def save_model(folder: Path, model: SavedModel, weights: Path) -> None:
    """Write a network into a run's folder: a copy of its weights file, and `model.json`.

    Args:
        folder: the run's.
        model: the network.
        weights: the file that holds its weights.
    """
    shutil.copyfile(weights, folder / WEIGHTS)
    write_json(folder / MODEL, describe_model(model, sha256_of(folder / WEIGHTS)))


def load_model(folder: Path) -> SavedModel:
    """Load a run's network; the weights are read through the restricted unpickler only.

    Raises:
        InputError: a file is missing, or the weights are not those the run was published with.
        WeightsError: `weights.pkl` is not a list of weight matrices.
    """
    model = read_json(folder / MODEL)
    path = folder / WEIGHTS
    sha256 = str(model.get("weights_sha256"))
    try:
        weights = load_weights(path, sha256)  # the very bytes that are used have this digest
    except WeightsError:
        if wrong := damage(path, sha256):
            raise InputError(f"{path}: {wrong}. Use another run.") from None
        raise
    try:
        saved = SavedModel(
            run=folder.name,
            weights=weights,
            activation=str(model["activation"]),
            image_side=int(model["image_side"]),
            pixel_max=float(model["pixel_max"]),
            classes=tuple(map(int, model["classes"])),
            shifts=tuple((int(down), int(right)) for down, right in model.get("shifts", UNMOVED)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder / MODEL}: {error!r}: missing or no number. Use another run."
        ) from error
    fits = (saved.image_side**2 + 1, len(saved.classes)) == (weights[0].shape[1], len(weights[-1]))
    if not (fits and saved.activation in ACTIVATIONS and saved.shifts in (UNMOVED, PHASES)):
        raise InputError(f"{folder / MODEL}: does not fit the weights. Use another run.")
    return saved
