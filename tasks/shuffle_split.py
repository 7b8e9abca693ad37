"""The second stage: digits are shuffled and split into training and test."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.cache.stage import stage
from tasks.cache.store import Store, StoredFile
from tasks.digits.shuffle import in_order
from tasks.digits.table import read_batches, read_info, read_labels
from tasks.digits.table_writer import part_writer
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
    parquet = store.path(digits)
    info, labels = read_info(parquet), read_labels(parquet)
    # 0 and 1 keep the streams of the split and of the training apart.
    rng = np.random.default_rng([seed, 0])
    train_rows, test_rows = split_rows(labels, split.train_fraction, split.stratify, rng)
    order = np.concatenate([train_rows, test_rows])
    images = (pixels for pixels, _ in read_batches(parquet))
    image = np.dtype((info.pixel_type, info.image_side**2))
    with store.scratch() as scratch:
        train, test = scratch / "train.parquet", scratch / "test.parquet"
        with (
            part_writer(train, info) as append_to_train,
            part_writer(test, info) as append_to_test,
        ):
            place = 0
            for pixels in in_order(images, image, order, scratch / "images"):
                rows = order[place : place + len(pixels)]
                left = max(0, len(train_rows) - place)  # of the training part
                append_to_train(pixels[:left], labels[rows[:left]])
                append_to_test(pixels[left:], labels[rows[left:]])
                place += len(pixels)
        return Split(
            train=store.keep(train),
            test=store.keep(test),
            train_rows=len(train_rows),
            test_rows=len(test_rows),
        )
