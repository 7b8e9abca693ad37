"""`python -m benchmarks.cached_rerun`: a training that is all cached, against an empty flow.

Whole processes in turns, with a Prefect server that is running and with none, where each of the two
starts one for itself. Everything is kept in a folder of its own.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

EMPTY = ("-m", "benchmarks.empty_flow")


def main() -> None:
    """Measure and print lines of a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cached_rerun", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PREFECT_HOME"] = f"{folder}/home"
        words = ("--recipe", "classic", "--artifacts", f"{folder}/artifacts")
        cached = ("-m", "flows.cli", "train", *words)
        seconds_of(cached)  # not cached yet, and the database is made
        print("| Prefect server | cached training, s | empty flow, s | ratio |\n|---|---|---|---|")
        compare("started by each", cached, rounds)
        with server():
            compare("running", cached, rounds)


def compare(words: str, cached: tuple[str, ...], rounds: int) -> None:
    """Run both in turns, after one round to warm up, and print their medians."""
    taken = [(seconds_of(cached), seconds_of(EMPTY)) for _ in range(rounds + 1)][1:]
    ours, empty = (median(each) for each in zip(*taken, strict=True))
    print(f"| {words} | {ours:.1f} | {empty:.1f} | {ours / empty:.2f} |", flush=True)


def seconds_of(words: tuple[str, ...]) -> float:
    """Return how long a process takes from its start to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - began


@contextmanager
def server() -> Iterator[None]:
    """Run a Prefect server, and have the processes started meanwhile use it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not _answers(f"{api}/health"):
                time.sleep(0.5)
            os.environ["PREFECT_API_URL"] = api
            yield
        finally:
            os.environ.pop("PREFECT_API_URL", None)
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):
            return True
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    main()
