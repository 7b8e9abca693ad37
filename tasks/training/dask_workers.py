"""Workers of a Dask cluster, which keep the partitions of a training and compute their gradients.

A partition is the result of a Dask task that reads its rows from the file, and so are the weights
of a step and the gradients. When a worker is lost, Dask computes what it had again on another one:
no rows are lost, and the sums are the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

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
from tasks.cache.sources import digests_of_stage
from tasks.digits.network_inputs import one_hot
from tasks.digits.table import read_slice
from tasks.errors import WorkerError
from tasks.training.dask_cluster import SECONDS, DaskCluster
from tasks.training.partitions import Workers

if TYPE_CHECKING:
    from distributed import Client, Future

_at_work = Lock()  # the number of threads of a matrix product is that of a process


@contextmanager
def dask_workers(cluster: DaskCluster | None, parquet: Path) -> Iterator[Workers | None]:
    """Yield where partitions are computed: on workers of Dask, or None for this process.

    Args:
        cluster: the workers'; None for this process.
        parquet: the training split, at a path that all workers see.

    Raises:
        WorkerError: no scheduler or no worker can be reached, or workers are lost again and again.
    """
    if cluster is None:
        yield None
        return
    with cluster.client() as client:

        def workers(partitions: Sequence[slice], settings: GradientSettings) -> Compute:
            addresses, code = list(client.nthreads()), digests_of_stage("tasks.train")
            kept = []
            for number, rows in enumerate(partitions):
                # Neighbours, whose gradients are added first, are on the same worker. Another one
                # takes a partition over when that is lost.
                where = {
                    "workers": [addresses[number * len(addresses) // len(partitions)]],
                    "allow_other_workers": True,
                }
                read = client.submit(
                    read_partition, parquet.resolve(), rows, code, pure=False, **where
                )
                kept.append((read, where))
            return _on(client, kept, settings)

        yield workers


def read_partition(parquet: Path, rows: slice, code: Mapping[str, str]) -> Examples:
    """Read a partition on a worker.

    Args:
        parquet: the training split.
        rows: those of the partition.
        code: digests of the source files that the training depends on.

    Raises:
        WorkerError: the file is not there, or this process has other source code.
    """
    if digests_of_stage("tasks.train") != code:
        raise WorkerError(
            "a Dask worker runs another version of this project. Start the workers again in an "
            "environment with the same version."
        )
    if not parquet.is_file():
        raise WorkerError(
            f"{parquet}: a Dask worker does not see this file. All workers must see the artifacts "
            "folder under the same path."
        )
    digits = read_slice(parquet, rows)
    targets = one_hot(digits.labels, digits.classes, "uint8")
    return Examples(digits.pixels, targets, digits.pixel_max)


def _on(
    client: "Client",
    partitions: Sequence[tuple["Future[Examples]", Mapping[str, Any]]],
    settings: GradientSettings,
) -> Compute:
    """Return what computes the gradients of partitions, each where it is said to be kept."""

    def add_two(one: "Future[Gradient]", other: "Future[Gradient]") -> "Future[Gradient]":
        return client.submit(add_gradients, one, other, pure=False)

    def compute(weights: Sequence[np.ndarray], factor: float, rows: Sequence[Rows]) -> Gradient:
        sent = client.submit(_received, weights, pure=False)
        parts = [
            client.submit(_gradient, partition, sent, factor, some, settings, pure=False, **where)
            for (partition, where), some in zip(partitions, rows, strict=True)
        ]
        return _result(client, sum_in_pairs(parts, add_two))

    return compute


def _received(weights: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    return weights


def _gradient(partition: Examples, weights: Sequence[np.ndarray], *arguments: Any) -> Gradient:
    # Dask puts what it receives at any address. Floats at odd ones NumPy copies for the matrix
    # library, in another layout, on which the last bits of a product depend.
    weights = [np.require(layer, requirements="A") for layer in weights]
    with _at_work:
        return partition_gradient(partition, weights, *arguments)


def _result(client: "Client", future: "Future[Gradient]") -> Gradient:
    from distributed import CancelledError, KilledWorker

    try:
        while True:
            try:
                cost, gradients = future.result(timeout=SECONDS)
            except TimeoutError:
                if not client.nthreads():
                    raise WorkerError(f"no Dask worker was left for {SECONDS} seconds.") from None
            else:
                return cost, [np.require(layer, requirements="W") for layer in gradients]
    except KilledWorker as error:
        raise WorkerError(
            f"Dask workers ended again and again, last {error.last_worker.address}, perhaps for "
            "want of memory: give more `partitions`, or workers with more memory."
        ) from error
    except CancelledError as error:
        raise WorkerError("the Dask scheduler was lost.") from error
