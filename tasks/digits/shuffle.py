"""Rows in another order, by way of the disk: memory holds only a part of them at a time."""

from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np

_BUCKET = 1 << 24  # bytes of rows that are put in order at a time


def in_order(
    batches: Iterable[np.ndarray], row: np.dtype, order: np.ndarray, scratch: Path
) -> Generator[np.ndarray]:
    """Yield rows in another order, some at a time.

    Every row is first written to the bucket of its new place, the buckets one behind the other in a
    file; then each bucket is read and put in order by itself. The time grows with the number of
    rows, the memory by the 16 bytes of a row's old and new place. Source: Sanders (1998), Random
    permutations on distributed, external and hierarchical memory.

    Args:
        batches: all rows, some at a time, each batch (rows, values).
        row: type of a row, such as `np.dtype((np.uint8, 400))`.
        order: (rows,) which row, counted as they come, is at each place.
        scratch: a new file for all rows.
    """
    size = max(1, _BUCKET // row.itemsize)  # rows in a bucket
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    filled = np.arange(0, len(order), size)  # where each bucket's next row goes
    with scratch.open("x+b") as file:
        start = 0
        for batch in batches:
            bucket = place[start : start + len(batch)] // size
            start += len(batch)
            for number in np.unique(bucket):
                rows = batch[bucket == number]
                file.seek(filled[number] * row.itemsize)
                file.write(rows.data)
                filled[number] += len(rows)
        for start in range(0, len(order), size):
            came = order[start : start + size]
            file.seek(start * row.itemsize)
            rows = np.frombuffer(file.read(len(came) * row.itemsize), row)
            # A bucket's rows lie there in the order in which they came.
            yield rows[np.argsort(np.argsort(came))]
