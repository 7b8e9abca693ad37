"""The second stage: digits are shuffled and split into training and test."""

from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.cache.stage import stage
from tasks.cache.store import Store, StoredFile
from tasks.digits.table import read_digits, write_digits
from tasks.errors import DataError


class SplitSettings(BaseModel):
    """How the images are split into training and test."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train_fraction: float = Field(
        default=0.8,
        gt=0,
        lt=1,
        title="Training fraction",
        description="Share of the images to train on; the rest is the test split.",
    )
    stratify: bool = Field(
        default=False,
        title="Stratify",
        description="Keep each digit's share the same in both splits.",
    )


class Split(BaseModel):
    """The two parts, each a Parquet file."""

    model_config = ConfigDict(frozen=True)

    train: StoredFile
    test: StoredFile
    train_rows: int
    test_rows: int


def split_rows(
    labels: np.ndarray, train_fraction: float, stratify: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of the training and the test part, each in shuffled order.

    Args:
        labels: (rows,) the digit of each row; only looked at to stratify.
        train_fraction: share of the rows to train on; their number is rounded to the nearest.
        stratify: take that share of each digit. Its rows are rounded one digit at a time against
            the running total, so that the whole stays right to the row.
        rng: source of the permutation.

    Raises:
        DataError: one of the parts would be empty.
    """
    rows = len(labels)
    train_rows = round(rows * train_fraction)
    if not 0 < train_rows < rows:
        raise DataError(
            f"{rows} rows can't be split with `train_fraction` {train_fraction:g}: one part would "
            "be empty. Add rows or change `train_fraction`."
        )
    shuffled = rng.permutation(rows)
    if not stratify:
        return shuffled[:train_rows], shuffled[train_rows:]
    in_train = np.zeros(rows, dtype=bool)
    seen = taken = 0
    for digit in np.unique(labels):
        of_digit = shuffled[labels[shuffled] == digit]
        seen += len(of_digit)
        take = round(seen * train_fraction) - taken
        in_train[of_digit[:take]] = True
        taken += take
    return shuffled[in_train[shuffled]], shuffled[~in_train[shuffled]]


@stage
def shuffle_split(store: Store, digits: StoredFile, split: SplitSettings, seed: int) -> Split:
    """Shuffle the digits by the seed and split them.

    Raises:
        DataError: too few rows for the split.
    """
    table = read_digits(store.path(digits))
    # 0 and 1 keep the streams of the split and of the training apart.
    rng = np.random.default_rng([seed, 0])
    parts = split_rows(table.labels, split.train_fraction, split.stratify, rng)
    with store.scratch() as scratch:
        kept = []
        for name, rows in zip(("train", "test"), parts, strict=True):
            part = replace(table, pixels=table.pixels[rows], labels=table.labels[rows])
            write_digits(part, scratch / f"{name}.parquet")
            kept.append(store.keep(scratch / f"{name}.parquet"))
    return Split(train=kept[0], test=kept[1], train_rows=len(parts[0]), test_rows=len(parts[1]))
