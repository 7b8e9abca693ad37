"""`python -m benchmarks.accuracy RECIPE`: the test accuracy of a recipe over seeds.

Each seed splits the digits and draws new weights, in a run of its own as a user starts it;
the test digits are read once a run, by its `evaluate`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any


def main() -> None:
    """Train a recipe with every seed and print a line of Markdown table each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    arguments = parser.parse_args()
    accuracies, seconds = [], []
    print("| recipe | seed | test accuracy | seconds of training |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as artifacts:
        for seed in arguments.seeds:
            run = train(arguments.recipe, seed, Path(artifacts))
            manifest = json.loads((Path(run["directory"]) / "manifest.json").read_text("utf-8"))
            accuracies.append(run["accuracy"])
            seconds.append(manifest["stages"]["train"]["seconds"])
            print(line(arguments.recipe, str(seed), accuracies[-1], seconds[-1]), flush=True)
    print(line(arguments.recipe, "mean", mean(accuracies), mean(seconds)))


def train(recipe: str, seed: int, artifacts: Path) -> dict[str, Any]:
    """Run `digits train` and return the object it prints."""
    words = ["train", "--recipe", recipe, "--seed", str(seed), "--artifacts", str(artifacts)]
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words, "--json"],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    run: dict[str, Any] = json.loads(done.stdout)
    return run


def line(recipe: str, seed: str, accuracy: float, seconds: float) -> str:
    """Return a line of the table."""
    return f"| {recipe} | {seed} | {accuracy:.2%} | {seconds:.1f} |"


if __name__ == "__main__":
    main()
