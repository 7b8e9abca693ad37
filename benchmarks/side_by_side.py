"""Contestants measured in turns, each in a process of its own, so that none disturbs another."""

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

THREADS = 2
_PAUSE = 0.5  # seconds; threads of the contestant before may wait for work in a busy loop
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


@dataclass(frozen=True)
class Measured:
    """The seconds of one contestant, one number a round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median of the rounds."""
        return median(self.seconds)


def measure(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Measured]:
    """Run every contestant once a round, after one round to warm up that is not counted.

    Args:
        contestants: functions of modules that say how many seconds their work took, set-up left
            out. Each runs in a process that is started for it and kept for all rounds.
        rounds: how often each runs.
    """
    os.environ.update({name: str(THREADS) for name in _THREAD_VARIABLES})  # children inherit them
    context = multiprocessing.get_context("spawn")
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(ProcessPoolExecutor(1, mp_context=context))
            for name in contestants
        }
        for number in range(rounds + 1):
            for name, contestant in contestants.items():
                time.sleep(_PAUSE)
                taken = processes[name].submit(contestant).result()
                if number > 0:
                    seconds[name].append(taken)
    return {name: Measured(tuple(each)) for name, each in seconds.items()}
