"""Weights as a file: a plain pickled list of arrays.

Any `pickle.load` reads what is written here. What is read here may come from anywhere;
`restricted_pickle.py` makes sure that nothing in it is executed.
"""

import hashlib
import pickle
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from network.restricted_pickle import RefusedPickleError, read_arrays

_PROTOCOL = 4  # read by every Python 3 since 3.4


class WeightsError(ValueError):
    """A weights file that is not a list of weight matrices; says why and what is allowed."""


def dump_weights(weights: Sequence[np.ndarray]) -> bytes:
    """Return weights as a plain pickled list, the same bytes for the same weights.

    Raises:
        WeightsError: they are not the layers of a network; see `check_weights`.
    """
    # Copies share nothing with each other, so a pickle never says "the same again".
    return pickle.dumps([layer.copy() for layer in check_weights(weights)], protocol=_PROTOCOL)


def load_weights(path: Path, sha256: str | None = None) -> list[np.ndarray]:
    """Read a weights file from anywhere.

    Args:
        path: the file.
        sha256: the digest that the bytes must have which are read; None takes any.

    Returns:
        One array a layer, (outputs, inputs + 1), bias in column 0, all float32 or all float64.

    Raises:
        WeightsError: it can't be read, has another digest, is no pickle of NumPy float arrays in a
            list or tuple, or the arrays do not fit together.
    """
    try:
        if path.exists() and not path.is_file():
            raise WeightsError(f"{path}: not a file. Name a pickled list of float arrays.")
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: can't be read: {error.strerror}.") from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(f"{path}: changed since its digest was taken. Start again.")
    try:
        return check_weights(read_arrays(content))
    except (RefusedPickleError, WeightsError) as error:
        raise WeightsError(
            f"{path}: {error}. Allowed is a pickled list of float arrays, one a layer, "
            "(outputs, inputs + 1), bias in column 0."
        ) from error


def check_weights(content: object) -> list[np.ndarray]:
    """Return the layers of a network, all of one type, if that is what `content` holds.

    Raises:
        WeightsError: it is not a list or tuple of finite two-dimensional float arrays, each with
            one column more than the one before has rows, for the bias.
    """
    if not isinstance(content, list | tuple) or not content:
        raise WeightsError("not a list of arrays")
    for number, layer in enumerate(content, start=1):
        if not isinstance(layer, np.ndarray) or layer.dtype not in (np.float32, np.float64):
            raise WeightsError(f"layer {number} is not an array of float32 or float64")
        if layer.ndim != 2 or layer.shape[0] < 1 or layer.shape[1] < 2:
            raise WeightsError(f"layer {number} has shape {layer.shape}")
        if not np.isfinite(layer).all():
            raise WeightsError(f"layer {number} holds NaN or infinity")
    for number, (before, layer) in enumerate(pairwise(content), start=2):
        if layer.shape[1] != before.shape[0] + 1:
            raise WeightsError(
                f"layer {number} has shape {layer.shape}, but layer {number - 1} has "
                f"{before.shape[0]} outputs, so {before.shape[0] + 1} columns are needed"
            )
    # The bare type: a dtype that carries metadata would be pickled with it, and refused when read.
    dtype = np.result_type(*content).type
    return [np.ascontiguousarray(layer, dtype) for layer in content]
