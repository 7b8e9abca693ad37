"""`python -m benchmarks.scale`: what a whole run takes of ten thousand to two million rows.

For each number of rows a CSV is made of the shipped digits with small changes, and `digits train
--recipe classic --epochs 3` runs in a process of its own over a new artifacts folder, with a
Prefect server that is running already. Needs 4 GB on the disk of the temporary folder. Writes
scale.md and scale.svg.
"""

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from matplotlib.figure import Figure

from benchmarks.cached_rerun import server
from benchmarks.watched import run_watched
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.table import Digits, read_digits

HERE = Path(__file__).parent
TABLE, PICTURE = HERE / "scale.md", HERE / "scale.svg"
ROWS = (10_000, 100_000, 1_000_000, 2_000_000)
TASKS = ("ingest", "shuffle_split", "train", "evaluate", "publish")
RECIPE = ("--recipe", "classic", "--epochs", "3")


@dataclass(frozen=True)
class Measured:
    """One whole run.

    Attributes:
        rows: of the CSV.
        seconds: of the whole command.
        by_task: seconds from start to end of each task.
        processor_seconds: of all threads of the process that does the work.
        processor_by_task: the same during each task.
        peak: the most memory it had, in MB; files that are mapped into it count.
        load: processes that ran or waited for a core when it began, averaged over a minute.
    """

    rows: int
    seconds: float
    by_task: dict[str, float]
    processor_seconds: float
    processor_by_task: dict[str, float]
    peak: float
    load: float


def shipped_digits(folder: Path) -> Digits:
    """Return the shipped digits, read as a run reads them."""
    csv_to_parquet(HERE.parent / "data" / "digits.csv", folder / "shipped.parquet", CsvFormat())
    return read_digits(folder / "shipped.parquet")


def write_csv(path: Path, rows: int, digits: Digits) -> None:
    """Write digits with small changes: some of the inked pixels a little lighter or darker."""
    rng = np.random.default_rng(rows)
    names = [f"{column}" for column in range(digits.pixels.shape[1] + 1)]
    schema = pa.schema([(name, pa.uint8()) for name in names])
    with pa_csv.CSVWriter(
        path, schema, write_options=pa_csv.WriteOptions(include_header=False)
    ) as csv:
        for start in range(0, rows, len(digits.labels)):
            some = rng.permutation(len(digits.labels))[: rows - start]
            pixels = digits.pixels[some].astype(np.int16)
            change = rng.integers(-20, 21, pixels.shape, np.int16)
            pixels = np.where(pixels > 0, np.clip(pixels + change, 1, 255), 0)
            columns = np.column_stack([pixels, digits.labels[some]]).astype(np.uint8)
            csv.write_batch(pa.record_batch([*map(pa.array, columns.T)], schema))


def measure(csv: Path, rows: int, artifacts: Path) -> Measured:
    """Run the whole command over a CSV."""
    load = os.getloadavg()[0]
    words = ("train", "--csv", str(csv), *RECIPE, "--artifacts", str(artifacts), "--json")
    done = run_watched(*words)
    manifest = Path(json.loads(done.printed)["directory"]) / "manifest.json"
    times = task_times(json.loads(manifest.read_text())["flow_run_id"])
    return Measured(
        rows=rows,
        seconds=done.seconds,
        by_task={task: end - start for task, (start, end) in times.items()},
        processor_seconds=done.processor_seconds(),
        processor_by_task={task: done.processor_seconds(*times[task]) for task in times},
        peak=done.peak,
        load=load,
    )


def task_times(flow_run: str) -> dict[str, tuple[float, float]]:
    """Return when each task of a flow run began and ended, in seconds since 1970."""
    asked = {"flow_runs": {"id": {"any_": [flow_run]}}}
    runs = httpx.post(f"{os.environ['PREFECT_API_URL']}/task_runs/filter", json=asked).json()
    moments = {
        run["name"].rpartition("-")[0]: tuple(
            datetime.fromisoformat(run[moment]).timestamp() for moment in ("start_time", "end_time")
        )
        for run in runs
    }
    return {task: moments[task] for task in TASKS}


def page(runs: Sequence[Measured]) -> str:
    """Return scale.md."""
    rates = [
        [f"{run.rows:,}", *(f"{run.rows / run.processor_by_task[task]:,.0f}" for task in TASKS)]
        for run in runs
    ]
    costs = [
        [
            f"{run.rows:,}",
            *(f"{run.by_task[task]:.1f}" for task in TASKS),
            f"{run.seconds:.1f}",
            f"{run.processor_seconds:.1f}",
            f"{run.peak:,.0f}",
            f"{run.load:.1f}",
        ]
        for run in runs
    ]
    return "\n".join(
        [
            "# From CSV to report, by the number of rows",
            "",
            f"Written by `make bench-scale`: `digits train {' '.join(RECIPE)}` over CSVs of 401 "
            "columns, the shipped digits with small changes, each in a process of its own over a "
            "new artifacts folder, with a Prefect server running.",
            "",
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}. Load: how many processes ran or waited for a "
            "core, on average over the minute before. Seconds grow with it, processor seconds "
            "hardly: they are those in which a thread of the process worked.",
            "",
            "Rows a processor second:",
            "",
            *table(["rows", *TASKS], rates),
            "",
            "Seconds, and the peak memory of the process that does all the work, files mapped into "
            "it included; the whole has the start of Python and of Prefect too. `publish` reads "
            "images only if there is a champion, or if the data have duplicates.",
            "",
            *table(["rows", *TASKS, "whole", "processor seconds", "peak MB", "load"], costs),
            "",
            "![Processor seconds of each task and peak memory by the number of rows](scale.svg)",
            "",
            "One training on many workers, time and bytes of a step: [workers.md](workers.md).",
            "",
        ]
    )


def table(names: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    rule = ["---"] * len(names)
    return ["| " + " | ".join(line) + " |" for line in (names, rule, *lines)]


def draw(runs: Sequence[Measured]) -> None:
    """Draw processor seconds and memory by the number of rows."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    rows = [run.rows for run in runs]
    left, right = figure.subplots(1, 2)
    for task in TASKS:
        left.loglog(rows, [run.processor_by_task[task] for run in runs], marker="o", label=task)
    left.set(xlabel="rows of the CSV", ylabel="processor seconds")
    left.legend(frameon=False)
    millions = [row / 1e6 for row in rows]
    right.plot(millions, [run.peak for run in runs], marker="o", label="peak memory")
    right.plot(millions, [row * 401 / 1e6 for row in rows], "--", label="all cells as bytes")
    right.set(xlabel="millions of rows", ylabel="MB", xlim=(0, None), ylim=(0, 900))
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, metadata={"Date": None})


def main() -> None:
    """Measure, print and, if all was measured, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="of each CSV")
    chosen = tuple(parser.parse_args().rows)
    runs = []
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        os.environ["PREFECT_HOME"] = home
        digits = shipped_digits(Path(folder))
        with server():
            for rows in chosen:
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    csv = Path(place) / "digits.csv"
                    write_csv(csv, rows, digits)
                    runs.append(measure(csv, rows, Path(place) / "artifacts"))
                print(runs[-1], flush=True)
    if chosen == ROWS:
        TABLE.write_text(page(runs), encoding="utf-8")
        draw(runs)
        print(f"written to {TABLE} and {PICTURE}")


if __name__ == "__main__":
    main()
