"""Small files of digits that any network can learn, and what is known of them."""

from pathlib import Path

import numpy as np

from tasks.digits.fingerprints import packed
from tasks.digits.profile import Profile
from tasks.digits.table import Digits
from tasks.digits.table_writer import digit_writer

PROJECT = Path(__file__).resolve().parents[2]


def write_small_csv(path: Path) -> Path:
    """Write 200 easy 8 × 8 digits, 20 of each: digit d has its own bright pixels.

    The first pixel is the digit too, so that the labels may be looked for in either end.
    """
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.repeat(np.arange(10), 20))
    pixels = rng.integers(0, 60, (200, 64))
    for digit in range(10):
        pixels[labels == digit, 6 * digit : 6 * digit + 6] += 180
    pixels[:, 0] = labels
    np.savetxt(path, np.column_stack([pixels, labels]), fmt="%d", delimiter=",")
    return path


def easy_digits(rows: int) -> Digits:
    """Return shuffled 8 × 8 digits that any network can learn."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, rows).astype(np.int8)
    pixels = rng.integers(0, 60, (rows, 64)).astype(np.uint8)
    for digit in range(10):
        pixels[labels == digit, 6 * digit : 6 * digit + 6] += 180
    return Digits(pixels=pixels, labels=labels, image_side=8, pixel_max=255)


def write_digits(digits: Digits, parquet: Path) -> None:
    """Write digits as a stage does."""
    made_by = {"pixel_max": digits.pixel_max, "classes": digits.classes}
    with digit_writer(parquet, digits.pixels.dtype.name, digits.image_side, made_by) as append:
        append(digits.pixels, digits.labels)


def imagined_profile(rows: int = 60, side: int = 8, seed: int = 5, duplicates: int = 0) -> Profile:
    """Return the profile of random images of random digits, each image another but duplicates."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, rows)
    parts = min(side, 4)
    return Profile(
        rows=rows,
        image_side=side,
        counts=tuple(np.bincount(labels, minlength=10).tolist()),
        ink=tuple(0.2 if (labels == digit).any() else None for digit in range(10)),
        ink_histogram=tuple(np.histogram(rng.normal(0.2, 0.04, rows), 100, (0, 1))[0].tolist()),
        regions=tuple(tuple(row) for row in rng.random((parts, parts)).tolist()),
        duplicates=duplicates,
        digests=packed(np.arange(rows - duplicates, dtype=np.uint64)),
    )
