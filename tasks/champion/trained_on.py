"""Which test images a network was trained on, by their content: to know those again is no merit."""

from pathlib import Path

import numpy as np

from tasks.cache.store import Store, damage
from tasks.digits.fingerprints import image_digests, seen_in
from tasks.digits.table import read_batches, read_info
from tasks.errors import InputError
from tasks.remote.results import download_stored
from tasks.runs.manifest import read_manifest


def trained_on(train: Path, test: Path) -> np.ndarray:
    """Return which images of a test split are in a training split too, pixel for pixel, (rows,).

    Args:
        train: the training split, a Parquet file.
        test: the test split, a Parquet file.
    """
    return seen_in(_digests(test), _digests(train))


def champion_trained_on(artifacts: Path, folder: Path, test: Path) -> np.ndarray | None:
    """Return which images of a test split the champion was trained on, (rows,).

    Args:
        artifacts: the artifacts folder.
        folder: the champion's.
        test: the test split, a Parquet file.

    Returns:
        None if it is the champion's own test split, or its training split is no longer known.
    """
    try:
        manifest = read_manifest(folder)
    except InputError:
        return None
    own, split = (manifest.output("shuffle_split", f"{p}.parquet") for p in ("test", "train"))
    if split is None or (own and own[0] == test.name):
        return None
    store = Store(folder=artifacts)
    download_stored(store, *split)
    train = store.files / split[0]
    return None if damage(train, split[1]) else trained_on(train, test)


def _digests(parquet: Path) -> np.ndarray:
    pixel_max = read_info(parquet).pixel_max
    return np.concatenate([image_digests(pixels, pixel_max) for pixels, _ in read_batches(parquet)])
