"""`python -m benchmarks.dask_workers`: sixteen points of a sweep, on one Dask worker and on two.

Batches of 32 without distortions keep one thread at work, as many as a worker has. Every sweep has
a folder of its own, so that nothing is cached; its seconds, from the CSV to the table, are those
that it writes down itself, with the start of its cluster.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

POINTS = 16


def main() -> None:
    """Measure in turns and print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dask_workers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=100)
    given = parser.parse_args()
    print("| one worker, s | two workers, s | ratio |\n|---|---|---|")
    for _ in range(given.rounds):
        one, two = (seconds_of_sweep(workers, given.epochs) for workers in (1, 2))
        print(f"| {one:.1f} | {two:.1f} | {two / one:.2f} |", flush=True)


def seconds_of_sweep(workers: int, epochs: int) -> float:
    """Return how long a sweep takes on a local cluster of so many workers."""
    grid = {"learning_rate": [0.01 + 0.005 * number for number in range(POINTS)]}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "flows.cli", "sweep", "--json", "--artifacts", folder]
        command += ["--recipe", "classic", "--batch-size", "32", "--epochs", str(epochs)]
        command += ["--grid", json.dumps(grid), "--dask", str(workers)]
        environment = {**os.environ, "PREFECT_HOME": f"{folder}/home"}
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
        account = Path(json.loads(done.stdout)["directory"]) / "sweep.json"
        return float(json.loads(account.read_text(encoding="utf-8"))["seconds"])


if __name__ == "__main__":
    main()
