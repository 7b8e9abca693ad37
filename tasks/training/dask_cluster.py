"""The Dask cluster of a run's trainings: one that runs, or processes started on this machine."""

import logging
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tasks.errors import WorkerError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

SECONDS = 60  # until a cluster without any worker is given up

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
# Dask's configuration of a training's client, and of the scheduler if it is started for it.
_SETTINGS = {
    # The weights are sent once a step, whatever their size.
    "distributed.admin.large-graph-warning-threshold": "1TB",
    # Partitions stay where they are, also if others wait.
    "distributed.scheduler.work-stealing": False,
}


class DaskCluster:
    """A Dask cluster that several trainings use, one after another.

    Args:
        dask: number of workers to start here, or the address of a scheduler.
        started: ends what is started here.
    """

    def __init__(self, dask: str, started: ExitStack) -> None:
        self._dask, self._started = dask, started

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """Yield a client of the cluster; the first one has it started, if it is to be started here.

        Raises:
            WorkerError: no scheduler or no worker can be reached.
        """
        from dask import config  # an extra, and slow to import
        from distributed import Client

        # It logs every connection, and tracebacks when it is interrupted.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        with config.set(_SETTINGS), ExitStack() as stack:
            scheduler = self._local if self._dask.isdigit() else self._dask
            try:
                client = stack.enter_context(
                    Client(scheduler, set_as_default=False, timeout=SECONDS)
                )
                client.wait_for_workers(1, timeout=SECONDS)
            except (OSError, ValueError) as error:
                raise WorkerError(
                    f"`dask` {self._dask}: no scheduler with a worker answers. Start one with "
                    "`dask scheduler` and `dask worker`, or give a number of workers to start here."
                ) from error
            yield client

    @cached_property
    def _local(self) -> "LocalCluster":
        cluster = local_cluster(int(self._dask), __name__, silence_logs=logging.CRITICAL)
        self._started.enter_context(cluster)
        return cluster


@contextmanager
def dask_cluster(dask: str) -> Iterator[DaskCluster | None]:
    """Yield the cluster that a setting names, ended afterwards if it was started here.

    Args:
        dask: number of workers to start here, the address of a scheduler, or nothing for None.
    """
    with ExitStack() as started:
        yield DaskCluster(dask, started) if dask else None


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
