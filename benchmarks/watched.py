"""A command run in a process of its own: what it printed, how long it took, its peak memory."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_POLL = 0.05  # seconds


@dataclass(frozen=True)
class Watched:
    """A command that has ended.

    Attributes:
        printed: its standard output.
        seconds: from start to end.
        processor_seconds: of all its threads, and of processes it waited for.
        peak: the most memory it ever had, in MB; files that are mapped into it count.
    """

    printed: bytes
    seconds: float
    processor_seconds: float
    peak: float


def run_watched(*words: str) -> Watched:
    """Run `digits` with some words, which must end well and print little."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        peak = 0
        # Not `ru_maxrss`, which begins with what this process has: the other starts as a copy.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            peak = max(peak, _peak_of(process.pid))
            time.sleep(_POLL)
        seconds = time.perf_counter() - began
        assert process.stdout is not None  # a pipe was asked for
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return Watched(printed, seconds, used.ru_utime + used.ru_stime, peak / 1e6)


def _peak_of(process: int) -> int:
    """Return the most memory that a process has had so far, in bytes; 0 if it has ended."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)
