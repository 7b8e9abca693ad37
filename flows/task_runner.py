"""Where several trainings run side by side: Prefect task runners for processes on this machine."""

import multiprocessing
import os
import signal
import sys
from threading import Thread
from typing import Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from flows.server.environment import hide_own_tracebacks

CORES_A_TRAINING = 2  # it keeps so many threads at work


def task_runner(workers: int, calls: int) -> TaskRunner[Any] | None:
    """Return a task runner for several trainings; None to do them in this process.

    Args:
        workers: most trainings at once; 0 for as many as this process has cores for.
        calls: how many trainings there are.
    """
    at_once = min(workers or len(os.sched_getaffinity(0)) // CORES_A_TRAINING, calls)
    if at_once < 2:
        return None
    return ProcessPoolTaskRunner(max_workers=at_once, initializer=prepare_worker)


def prepare_worker() -> None:
    """Let a new worker end with its starter, and leave Ctrl-C and the terminal to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_starter, daemon=True).start()
    if sys.stderr.isatty():  # where the starter shows its progress
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "ERROR"
    hide_own_tracebacks()


def _end_with_starter() -> None:
    starter = multiprocessing.parent_process()
    if starter:
        starter.join()
        os._exit(1)  # by kill -9 of the starter too, which tells nobody
