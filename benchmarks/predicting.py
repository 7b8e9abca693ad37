"""`python -m benchmarks.predicting RUN`: how long `digits predict` takes for a million images.

The whole command is measured, reading a Parquet file and writing one included, and the most memory
it ever had. Twice as many images after that show whether memory grows with them.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.watched import run_watched
from tasks.runs.find_run import find_run
from tasks.runs.model import load_model

ROWS_A_GROUP = 10_000


def write_images(path: Path, rows: int, pixels: int) -> None:
    """Write random images, one list of bytes a row."""
    rng = np.random.default_rng(0)
    kind = pa.list_(pa.uint8(), pixels)
    with pq.ParquetWriter(path, pa.schema([("pixels", kind)])) as file:
        for _ in range(rows // ROWS_A_GROUP):
            # A fifth of the points inked, as in digits: random bytes alone would not compress.
            ink = rng.integers(0, 256, ROWS_A_GROUP * pixels, np.uint8)
            ink[rng.random(len(ink)) > 0.2] = 0
            images = pa.FixedSizeListArray.from_arrays(pa.array(ink), type=kind)
            file.write_table(pa.table([images], file.schema))


def main() -> None:
    """Measure and print lines of a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predicting", description=__doc__)
    parser.add_argument("run", help="a run's name or its beginning, latest or champion")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    arguments = parser.parse_args()
    run = find_run(arguments.artifacts, arguments.run)
    side = load_model(run).image_side
    print("| images | seconds | processor seconds | peak memory |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.parquet"
        for rows in (1_000_000, 2_000_000):
            write_images(images, rows, side**2)
            words = ["predict", str(images), "--run", run.name, "--artifacts", str(run.parents[1])]
            done = run_watched(*words, "--output", f"{folder}/predicted.parquet")
            print(
                f"| {rows:,} | {done.seconds:.1f} | {done.processor_seconds():.1f} "
                f"| {done.peak:,.0f} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
