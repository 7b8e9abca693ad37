"""Workers of a Dask cluster, which keep the partitions of a training and compute their gradients.

A partition is the result of a Dask task that reads its rows from the file, and so are the weights
of a step and the gradients. When a worker is lost, Dask computes what it had again on another one:
no rows are lost, and the sums are the same.
"""

import logging
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
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
from tasks.training.partitions import Workers

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

SECONDS = 60  # without any worker, until a training gives up

# Of a cluster on this machine, besides the number of its workers.
_LOCAL_CLUSTER: dict[str, Any] = {
    "threads_per_worker": 1,
    "security": True,  # other users of this machine can send it nothing
    "dashboard_address": "127.0.0.1:0",  # two clusters may be here at once
}
# Dask's configuration while it is started.
_LOCAL_SETTINGS = {
    # With Dask's, glibc takes memory from the kernel and gives it back at every step of a training.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # Samples of the stacks, 100 a second, which nobody looks at here.
    "distributed.worker.profile.enabled": False,
}

_at_work = Lock()  # the number of threads of a matrix product is that of a process


@contextmanager
def dask_workers(dask: str, parquet: Path) -> Iterator[Workers | None]:
    """Yield where partitions are computed: on workers of Dask, or None for this process.

    Args:
        dask: number of workers to start here, the address of a scheduler, or nothing.
        parquet: the training split, at a path that all workers see.

    Raises:
        WorkerError: no scheduler or no worker can be reached, or workers are lost again and again.
    """
    if not dask:
        yield None
        return
    with _client(dask) as client:

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


def local_cluster(workers: int, preload: str, **more: Any) -> "LocalCluster":
    """Start a Dask cluster on this machine, each worker a process of one thread.

    Args:
        workers: how many.
        preload: name of a module with a function `dask_setup`, called in each worker.
        more: arguments of `LocalCluster`.
    """
    from dask import config  # an extra, and slow to import
    from distributed import LocalCluster

    with config.set(_LOCAL_SETTINGS):
        return LocalCluster(n_workers=workers, preload=[preload], **_LOCAL_CLUSTER, **more)


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C to the starter of a worker that was started here; Dask looks for this name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _client(dask: str) -> Iterator["Client"]:
    """Yield a client of a cluster, which is ended afterwards if it was started for this."""
    from dask import config  # an extra, and slow to import
    from distributed import Client

    # It logs every connection, and tracebacks when it is interrupted.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    settings = {
        # The weights are sent once a step, whatever their size.
        "distributed.admin.large-graph-warning-threshold": "1TB",
        # Of a scheduler started here: partitions stay where they are, also if others wait.
        "distributed.scheduler.work-stealing": False,
    }
    with config.set(settings):
        if dask.isdigit():
            with (
                local_cluster(int(dask), __name__, silence_logs=logging.CRITICAL) as cluster,
                Client(cluster, set_as_default=False) as client,
            ):
                yield client
            return
        with ExitStack() as stack:
            try:
                client = stack.enter_context(Client(dask, set_as_default=False, timeout=SECONDS))
                client.wait_for_workers(1, timeout=SECONDS)
            except (OSError, ValueError) as error:
                raise WorkerError(
                    f"`dask` {dask}: no scheduler with a worker answers there. Start one with "
                    "`dask scheduler` and `dask worker`, or give a number of workers to start here."
                ) from error
            yield client


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
