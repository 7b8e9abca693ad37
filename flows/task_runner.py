"""Where several trainings run side by side: Prefect task runners for processes and for Dask."""

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Collection
from functools import partial
from threading import Thread
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from flows.server.environment import hide_own_tracebacks
from flows.settings import TrainingFlowSettings
from network.batch_gradient import threads_at_work
from tasks.runs.run import RunnerFor
from tasks.training.dask_cluster import local_cluster
from tasks.training.settings import TrainingSettings


def runner_for(
    settings: TrainingFlowSettings, trainings: Collection[TrainingSettings]
) -> RunnerFor:
    """Return what gives a flow its task runners: as many trainings at once as there are cores for.

    Args:
        settings: the flow's, with the number of workers if it is given.
        trainings: what may be trained side by side.
    """
    at_once = len(os.sched_getaffinity(0)) // max(map(_threads_at_work, trainings))
    return partial(task_runner, settings.workers or max(1, at_once), settings.dask)


def _threads_at_work(training: TrainingSettings) -> int:
    if training.partitions:
        return min(training.partitions, training.threads)
    is_augmented = training.distortion > 0
    return threads_at_work(training.batch_size or None, is_augmented, training.threads)


def task_runner(workers: int, dask: str, calls: int) -> TaskRunner[Any] | None:
    """Return a task runner for several trainings; None to do them in this process.

    Args:
        workers: most trainings at once.
        dask: the number of workers of a Dask cluster to start here, or the address of one that
            runs; empty for processes without Dask.
        calls: how many trainings there are.
    """
    if dask:
        return _dask_runner(dask)
    at_once = min(workers, calls)
    if at_once < 2:
        return None
    return ProcessPoolTaskRunner(max_workers=at_once, initializer=prepare_worker)


def _dask_runner(dask: str) -> TaskRunner[Any]:
    from prefect_dask.task_runners import DaskTaskRunner  # an extra

    logging.getLogger("distributed").setLevel(logging.ERROR)  # it logs every connection
    if not dask.isdigit():
        return DaskTaskRunner(address=dask)
    settings = {"workers": int(dask), "preload": __name__}
    return DaskTaskRunner(
        cluster_class=local_cluster,  # type: ignore[arg-type]  # it is called with the settings
        cluster_kwargs=settings,
    )


def prepare_worker() -> None:
    """Let a new worker end with its starter, and leave Ctrl-C and the terminal to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_starter, daemon=True).start()
    if sys.stderr.isatty():  # where the starter shows its progress
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "ERROR"
    hide_own_tracebacks()


def dask_setup(worker: object) -> None:
    """Prepare a worker of a cluster that was started here; Dask looks for this name."""
    prepare_worker()


def _end_with_starter() -> None:
    starter = multiprocessing.parent_process()
    if starter:
        starter.join()
        os._exit(1)  # also where kill -9 ended the starter without a word
