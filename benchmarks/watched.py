"""A command run in a process of its own: what it printed, how long it took, its peak memory."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_POLL = 0.05  # seconds


@dataclass(frozen=True)
class Watched:
    """A command that has ended.

    Attributes:
        printed: its standard output.
        seconds: from start to end.
        clock: (samples,) seconds since 1970 at which its threads' time was looked at.
        processor: (samples,) seconds that all its threads had worked until then.
        peak: the most memory it ever had, in MB; files that are mapped into it count.
    """

    printed: bytes
    seconds: float
    clock: list[float]
    processor: list[float]
    peak: float

    def processor_seconds(self, start: float = 0, end: float = float("inf")) -> float:
        """Return how long its threads worked between two moments, given in seconds since 1970."""
        before, after = np.interp((start, end), self.clock, self.processor)
        return float(after - before)


def run_watched(*words: str) -> Watched:
    """Run `digits` with some words, which must end well and print little."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        clock, processor, peak = [time.time()], [0.0], 0
        # Not `ru_maxrss`, which begins with what this process has: the other starts as a copy.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            clock.append(time.time())
            processor.append(_processor_seconds(process.pid))
            peak = max(peak, _peak_of(process.pid))
            time.sleep(_POLL)
        seconds = time.perf_counter() - began
        assert process.stdout is not None  # a pipe was asked for
        printed = process.stdout.read()
    assert process.returncode == 0, words
    return Watched(printed, seconds, clock, processor, peak / 1e6)


def _processor_seconds(process: int) -> float:
    """Return how long a process's threads have worked so far, in and out of the kernel."""
    # Its name comes second, in brackets, and may hold spaces.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _peak_of(process: int) -> int:
    """Return the most memory that a process has had so far, in bytes; 0 if it has ended."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
