"""A CSV of 60,000 × 785 whole numbers to Parquet: ours checks every cell, polars only copies."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROWS, PIXELS = 60_000, 784
CSV = Path(tempfile.gettempdir()) / "digits-benchmark.csv"


def write_csv() -> None:
    """Write the CSV that both read, mostly blank as digits are."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (ROWS, PIXELS)) * (rng.random((ROWS, PIXELS)) < 0.2)
    table = pd.DataFrame(np.column_stack([pixels, np.arange(ROWS) % 10]))
    table.to_csv(CSV, index=False, header=False)


def ours() -> float:
    """Return the seconds of this project's ingest."""
    from tasks.digits.csv_format import CsvFormat
    from tasks.digits.csv_reader import csv_to_parquet

    start = time.perf_counter()
    csv_to_parquet(CSV, CSV.with_suffix(".ours.parquet"), CsvFormat())
    return time.perf_counter() - start


def polars() -> float:
    """Return the seconds of polars' streaming engine."""
    import polars

    start = time.perf_counter()
    polars.scan_csv(CSV, has_header=False).sink_parquet(CSV.with_suffix(".polars.parquet"))
    return time.perf_counter() - start


def pandas() -> float:
    """Return the seconds of pandas, whole table in memory."""
    start = time.perf_counter()
    pd.read_csv(CSV, header=None).rename(columns=str).to_parquet(CSV.with_suffix(".pandas.parquet"))
    return time.perf_counter() - start


def remove_files() -> None:
    """Remove everything written here."""
    for path in CSV.parent.glob("digits-benchmark.*"):
        path.unlink()
