"""The door for other Python programs: a trained network, and the digits it reads in an array."""

from os import PathLike
from pathlib import Path

import numpy as np

from network.model import CHUNK
from tasks.digits.batch import in_range, refuse_faint
from tasks.digits.network_inputs import labels_of
from tasks.errors import InputError
from tasks.remote.mirror import artifacts_folder
from tasks.runs.find_run import find_run
from tasks.runs.model import SavedModel, load_model


def load_network(run: str = "champion", artifacts: str | PathLike[str] = "artifacts") -> SavedModel:
    """Load the network of a run.

    Args:
        run: the run's name or any unique beginning of it, `latest` or `champion`.
        artifacts: the folder that runs are kept in, or its URL.

    Raises:
        InputError: no such run, or its files are damaged.
        WeightsError: its weights are not a list of weight matrices.
    """
    return load_model(find_run(artifacts_folder(str(artifacts)), run))


def recognise(
    images: np.ndarray, network: SavedModel, pixel_max: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the label of each image, and how probable each label is.

    Args:
        images: (rows, side, side), or (rows, side · side) with the pixels row by row; 0 where there
            is no ink.
        network: as `load_network` returns it; its `image_side` is the side of the images.
        pixel_max: the value of full ink; that of the digits it was trained on if None.

    Returns:
        (rows,) labels, and (rows, classes) probabilities from 0 to 1 in the order of the network's
        `classes`. They are separate, so those of an image need not sum to 1.

    Raises:
        InputError: the array has another shape, or holds what is no pixel; it is a ValueError.
    """
    side, full = network.image_side, pixel_max or network.pixel_max
    if images.shape[1:] not in ((side, side), (side * side,)):
        raise InputError(
            f"images of shape {images.shape}: {network.run} reads {side} × {side} pixels. Give an "
            f"array of (rows, {side}, {side}) or (rows, {side * side})."
        )
    if images.dtype.kind not in "buif":
        raise InputError(f"images of type {images.dtype}: pixels are numbers.")
    pixels = images.reshape(len(images), side * side)
    fits = in_range(pixels, full)
    if not fits.all():
        row, pixel = np.argwhere(~fits)[0]
        raise InputError(
            f"images[{row}], pixel {pixel} is {pixels[row, pixel]:g}. Allowed are 0 to {full:g}, "
            "the value of full ink; another is given by `pixel_max`."
        )
    if images.dtype.kind == "f" and images.size:
        refuse_faint(Path("images"), float(pixels.max()), full)
    probabilities = np.empty((len(pixels), len(network.classes)), network.weights[0].dtype)
    for start in range(0, len(pixels), CHUNK):
        chunk = slice(start, start + CHUNK)
        inputs = (pixels[chunk] / full).astype(probabilities.dtype)
        probabilities[chunk] = network.predict(inputs)
    return labels_of(probabilities, network.classes), probabilities
