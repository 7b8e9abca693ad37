"""A training split in partitions: which rows each has, and their gradient computed here."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from network.batch_gradient import GradientSettings
from network.examples import Examples
from network.partitions import (
    Compute,
    Gradient,
    Rows,
    add_gradients,
    partition_gradient,
    sum_in_pairs,
)
from tasks.digits.table import ROWS_A_GROUP

Workers = Callable[[Sequence[slice], GradientSettings], Compute]


def rows_of_partitions(rows: int, partitions: int) -> list[slice]:
    """Return the rows of each partition: whole groups of a file's rows, about as many for each.

    Args:
        rows: how many are trained on.
        partitions: how many there are at most; a small file has fewer groups of rows.
    """
    groups = -(-rows // ROWS_A_GROUP)
    count = min(partitions, groups)
    ends = [min(rows, groups * n // count * ROWS_A_GROUP) for n in range(count + 1)]
    return [slice(*both) for both in pairwise(ends)]


def here(
    examples: Examples, partitions: Sequence[slice], settings: GradientSettings, threads: int
) -> Compute:
    """Return what computes the partitions' gradients in this process.

    Args:
        examples: all of them.
        partitions: the rows of each.
        settings: how a partition's gradient is computed; on one thread, so that all of them hold
            the matrix library to one.
        threads: partitions at once.
    """

    def compute(weights: Sequence[np.ndarray], factor: float, rows: Sequence[Rows]) -> Gradient:
        def gradient(partition: slice, some: Rows) -> Gradient:
            return partition_gradient(examples.part(partition), weights, factor, some, settings)

        with ThreadPoolExecutor(threads) as executor:
            parts = list(executor.map(gradient, partitions, rows))
        return sum_in_pairs(parts, add_gradients)

    return compute
