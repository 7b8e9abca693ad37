"""`python -m benchmarks`: measure everything, print the table and write results.md.

Run it on an otherwise idle machine; the figures are ratios, but a busy one blurs even those.
"""

import argparse
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import ingesting, matrix_products, ours, pytorch, scikit_learn
from benchmarks.side_by_side import THREADS, Measured, measure
from benchmarks.workloads import BATCHES_OF_32, BATCHES_OF_128, CLASSIC, CLASSIC_FLOAT64

RESULTS = Path(__file__).parent / "results.md"


@dataclass(frozen=True)
class Comparison:
    """One piece of work, who else does it, and the share of their time that we may take."""

    work: str
    ours: Callable[[], float]
    peers: dict[str, Callable[[], float]]
    reach: dict[str, float]


COMPARISONS = (
    Comparison(
        "400 full-batch epochs, 4,000 × 400 → 40 → 10, float32",
        partial(ours.train, CLASSIC),
        {
            "PyTorch": partial(pytorch.train, CLASSIC),
            "scikit-learn": partial(scikit_learn.train, CLASSIC),
            "bare matrix products": partial(matrix_products.train, CLASSIC),
        },
        {"PyTorch": 0.6, "bare matrix products": 1.15},
    ),
    Comparison(
        "the same in float64",
        partial(ours.train, CLASSIC_FLOAT64),
        {
            "PyTorch": partial(pytorch.train, CLASSIC_FLOAT64),
            "bare matrix products": partial(matrix_products.train, CLASSIC_FLOAT64),
        },
        {"PyTorch": 0.7},
    ),
    Comparison(
        "one epoch in batches of 128, 60,000 × 784 → 300 → 10",
        partial(ours.train, BATCHES_OF_128),
        {
            "PyTorch": partial(pytorch.train, BATCHES_OF_128),
            "bare matrix products": partial(matrix_products.train, BATCHES_OF_128),
        },
        {"PyTorch": 0.65, "bare matrix products": 1.25},
    ),
    Comparison(
        "one epoch in batches of 32, 4,000 × 400 → 300 → 100 → 10",
        partial(ours.train, BATCHES_OF_32),
        {
            "PyTorch": partial(pytorch.train, BATCHES_OF_32),
            "bare matrix products": partial(matrix_products.train, BATCHES_OF_32),
        },
        {"PyTorch": 0.45, "bare matrix products": 1.3},
    ),
    Comparison(
        "prediction of 1,000,000 images, 400 → 40 → 10",
        ours.predict_many,
        {"scikit-learn": scikit_learn.predict_many},
        {"scikit-learn": 1.0},
    ),
    Comparison(
        "a CSV of 60,000 × 785 to Parquet",
        ingesting.ours,
        {"polars": ingesting.polars, "pandas": ingesting.pandas},
        {"polars": 1.0},
    ),
)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="runs of each contestant")
    parser.add_argument("--only", default="", help="only work whose name holds this text")
    arguments = parser.parse_args()
    chosen = [each for each in COMPARISONS if arguments.only in each.work]
    ingesting.write_csv()
    lines = []
    try:
        for comparison in chosen:
            lines += rows(comparison, arguments.rounds)
            print(*lines[-1 - len(comparison.peers) :], sep="\n", flush=True)
    finally:
        ingesting.remove_files()
    if len(chosen) == len(COMPARISONS):
        RESULTS.write_text(page(lines, arguments.rounds), encoding="utf-8")
        print(f"written to {RESULTS}")


def rows(comparison: Comparison, rounds: int) -> list[str]:
    """Return a comparison's lines of the table: ours, then a line a peer."""
    contestants = {"ours": comparison.ours, **comparison.peers}
    measured = measure(contestants, rounds)
    own = measured.pop("ours")
    lines = [f"| {comparison.work} | ours | | | {in_words(own)} |"]
    for peer, theirs in measured.items():
        reach = comparison.reach.get(peer)
        lines.append(
            f"| | {peer} | **{own.median / theirs.median:.2f}** | {f'≤ {reach}' if reach else ''} "
            f"| {in_words(theirs)} |"
        )
    return lines


def in_words(measured: Measured) -> str:
    """Return least, middle and greatest seconds, three cells of the table."""
    numbers = (min(measured.seconds), measured.median, max(measured.seconds))
    return " | ".join(f"{number:.3f}" for number in numbers)


def page(lines: list[str], rounds: int) -> str:
    """Return results.md."""
    return "\n".join(
        [
            "# Side by side",
            "",
            f"Written by `make bench`: {rounds} rounds in turns, each contestant in a process of "
            f"its own with {THREADS} threads, after one round to warm up. The ratio is our median "
            "over the peer's. Training is the optimiser loop alone, the cost of every epoch taken.",
            "",
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}; packages as in `requirements.txt`.",
            "",
            "| work | contestant | ours ÷ theirs | reach | least s | median s | greatest s |",
            "|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
