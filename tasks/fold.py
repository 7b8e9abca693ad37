"""A stage of a sweep: the training split with one of its folds moved to the end, to be held out."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.cache.stage import stage
from tasks.cache.store import Store, StoredFile
from tasks.digits.table import read_batches, read_info
from tasks.digits.table_writer import part_writer


class Fold(BaseModel):
    """The training split, a Parquet file whose last rows are to be held out."""

    model_config = ConfigDict(frozen=True)

    train: StoredFile


@stage
def fold(store: Store, train: StoredFile, held_out: int, number: int) -> Fold:
    """Move one fold of the training split to its end, where training holds out digits.

    Args:
        store: where the files are.
        train: the training split.
        held_out: the number of digits in a fold.
        number: which fold, from 0, counted from the end of the split.
    """
    parquet = store.path(train)
    info = read_info(parquet)
    stop = info.rows - number * held_out
    with store.scratch() as scratch:
        moved = scratch / "train.parquet"
        with part_writer(moved, info) as append:
            for in_fold in (False, True):
                first = 0
                for pixels, labels in read_batches(parquet):
                    rows = np.arange(first, first + len(labels))
                    chosen = ((stop - held_out <= rows) & (rows < stop)) == in_fold
                    append(pixels[chosen], labels[chosen])
                    first += len(labels)
        return Fold(train=store.keep(moved))
