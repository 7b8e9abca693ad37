"""`python -m benchmarks.workers`: one training on Dask workers, and what a billion rows would take.

Full-batch steps of the recipe `classic` on random images of 20 × 20, in one process and on workers
on this machine. Bytes are all that pass its loopback device meanwhile, so nothing else should talk
there: `unshare --net sh -c 'ip link set lo up; python -m benchmarks.workers'`. Needs the extra
`dask` and 1 GB on the disk of the temporary folder. Writes workers.md.
"""

import math
import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil

from flows.recipes import RECIPES
from tasks.digits.mapped_images import mapped_digits
from tasks.digits.table_writer import digit_writer
from tasks.training.dask_cluster import dask_cluster
from tasks.training.dask_workers import dask_workers
from tasks.training.fit import fit

TABLE = Path(__file__).parent / "workers.md"
SIDE = 20
EPOCHS = 4  # the first reads the images, and is left out
ROWS = (200_000, 1_000_000)
BILLION = 1_000_000_000
NETWORK = 125e6  # bytes a second of the cluster that is imagined: 1 Gbit/s
COLUMNS = (
    *("rows", "where", "partitions", "first step, s", "a step, s", "processor s of the starter"),
    *("of the workers", "MB a step", "load"),
)
ESTIMATES = (
    *("workers", "computing, s", "scheduling, s", "sending, s", "a step, s"),
    *("times as fast as one", "hours for 400 steps"),
)
WEIGHTS = 4 * (40 * (SIDE**2 + 1) + 10 * 41)  # bytes of the network


@dataclass(frozen=True)
class Measured:
    """Full-batch steps on one number of rows.

    Attributes:
        rows: of the split.
        where: in which processes.
        partitions: how many; 0 is the whole.
        first: seconds until the first step was done.
        seconds: of the fastest step.
        mean: seconds of a step, the mean.
        starter: processor seconds a step of the process that trains; Dask's scheduler is in it.
        workers: those of all workers.
        sent: bytes a step.
        load: processes that were waiting or running when it began, averaged over a minute.
    """

    rows: int
    where: str
    partitions: int
    first: float
    seconds: float
    mean: float
    starter: float
    workers: float
    sent: float
    load: float


def write_split(path: Path, rows: int) -> None:
    """Write random images of random digits."""
    rng = np.random.default_rng(0)
    made_by = {"pixel_max": 255.0, "classes": tuple(range(10))}
    with digit_writer(path, "uint8", SIDE, made_by) as append:
        for start in range(0, rows, 50_000):
            some = min(50_000, rows - start)
            pixels = rng.integers(0, 256, (some, SIDE**2), np.uint8)
            append(pixels, rng.integers(0, 10, some, np.int8))


def measure(parquet: Path, rows: int, dask: str, partitions: int, threads: int) -> Measured:
    """Take some steps, and note what each took."""
    changed = {"epochs": EPOCHS, "partitions": partitions, "threads": threads}
    training = RECIPES["classic"].model_copy(update=changed)
    notes: list[np.ndarray] = []

    def note(epoch: int, cost: float) -> None:
        notes.append(np.array([time.perf_counter(), time.process_time(), _children(), _passed()]))

    load = os.getloadavg()[0]
    with (
        mapped_digits(parquet, parquet.parent, rows if dask else 0) as digits,
        dask_cluster(dask) as cluster,
        dask_workers(cluster, parquet) as workers,
    ):
        began = time.perf_counter()
        fit(digits, training, np.random.default_rng(1), note, workers=workers)
    steps = np.array([after - before for before, after in pairwise(notes)])
    mean, starter, others, passed = (notes[-1] - notes[0]) / len(steps)
    where = (
        f"{dask} worker{'s' * (dask != '1')}"
        if dask
        else f"one process, {threads} thread{'s' * (threads > 1)}"
    )
    first, fastest = notes[0][0] - began, steps[:, 0].min()
    return Measured(rows, where, partitions, first, fastest, mean, starter, others, passed, load)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number > 1)}"


def _children() -> float:
    """Return the processor seconds of the processes that were started here."""
    processes = [psutil.Process(child.pid) for child in multiprocessing.active_children()]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _passed() -> int:
    """Return the bytes that ever passed the loopback device."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    (line,) = (line for line in lines if line.strip().startswith("lo:"))
    return int(line.split()[1])


def header(*names: str) -> list[str]:
    """Return the first two lines of a table."""
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def page(steps: Sequence[Measured]) -> str:
    """Return workers.md."""
    table = [
        f"| {each.rows:,} | {each.where} | {each.partitions or '–'} | {each.first:.1f} | "
        f"{each.seconds:.3f} | {each.starter:.3f} | {each.workers:.3f} | "
        f"{each.sent / 1e6:.2f} | {each.load:.0f} |"
        for each in steps
    ]
    on_dask = [each for each in steps if each.partitions]
    few = on_dask[-1]
    alone = next(each for each in steps if each.rows == few.rows and not each.partitions)
    image = few.workers / few.rows
    # Of the starter's time, a part goes by while it waits, and a part comes with each partition.
    waiting, partition = np.linalg.lstsq(
        np.array([[each.mean, each.partitions] for each in on_dask]),
        np.array([each.starter for each in on_dask]),
    )[0]
    best = math.sqrt(BILLION * image / partition)
    estimates = []
    for workers in (1, 10, 100, 300, 1000, 3000, 10_000):
        compute, schedule = BILLION * image / workers, partition * workers
        send = 2 * WEIGHTS / NETWORK * (1 + math.log2(workers))
        step = compute + schedule + send
        estimates.append(
            f"| {workers:,} | {compute:,.2f} | {schedule:.2f} | {send:.3f} | {step:,.2f} | "
            f"{BILLION * image / step:,.0f} | {400 * step / 3600:,.1f} |"
        )
    return f"""# One training on many workers

Written by `python -m benchmarks.workers`: full-batch steps of the recipe `classic` (400 inputs, 40
hidden neurons, {WEIGHTS / 1e3:.0f} kB of weights in float32) on random images, on {os.cpu_count()}
cores ({platform.machine()}), Python {platform.python_version()}, NumPy {np.__version__}. The load
average in the last column says how many other programs were at work on them: above 2, the seconds
of a step (of the fastest of {EPOCHS - 1}) say little, and processor seconds (the mean) are what
counts. The first step includes reading the images on the workers. Bytes are all that passed the
loopback device.

{chr(10).join([*header(*COLUMNS), *table])}

Of {few.rows:,} rows, two workers took {few.seconds / alone.seconds:.1f} times the seconds of one
thread here and {few.workers / alone.starter:.1f} times its processor seconds, in which the messages
and the waiting of the workers are counted. That many machines are faster is not shown by this.

## A billion rows

Not tried. With W workers of one core, each with one partition, a step of the full batch takes

```
step(W)  =  n · a / W  +  p · W  +  2 · b / B · (1 + log2 W)

n  {BILLION:,} images
a  {1e6 * image:.2f} µs  processor time of a worker an image
     ({few.rows:,} rows in {few.partitions} partitions)
p  {1e3 * partition:.2f} ms  processor time of the scheduler and the starter a partition: theirs, as
     the table has it, is fitted by p a partition and {1e3 * waiting:.0f} ms a second of waiting
b  {WEIGHTS:,} bytes  of weights to a worker, and of gradients from it
B  {NETWORK / 1e6:.0f} MB/s  1 Gbit/s; both pass from worker to worker, in log2 W rounds
```

{chr(10).join([*header(*ESTIMATES), *estimates])}

It stops scaling where one more worker costs the scheduler more than it saves, at
W = √(n · a / p) ≈ {best:,.0f} workers: there half of a step is scheduling. The scheduler, one
Python process, is the bound and not the bytes. With a third of those, {best / 3:,.0f} workers, nine
tenths of a step are the training. For fewer rows the bound falls with the square root of their
number. A partition takes {SIDE**2 + 10} bytes an image of its worker's memory,
{BILLION * (SIDE**2 + 10) / 1e9:,.0f} GB in all; the process that trains takes 11, for the labels.
"""


@contextmanager
def splits() -> Iterator[dict[int, Path]]:
    """Yield a file of each number of rows."""
    with tempfile.TemporaryDirectory() as folder:
        files = {rows: Path(folder) / f"{rows}.parquet" for rows in ROWS}
        for rows, path in files.items():
            write_split(path, rows)
        yield files


def main() -> None:
    """Measure, print, and write the page."""
    plan = [("", 0, 1), ("", 0, 2), ("1", 8, 1), ("2", 8, 1)]
    with splits() as files:
        steps = []
        for rows, path in files.items():
            # 200,000 rows are 49 groups, and no more partitions.
            for dask, partitions, threads in [*[("2", 48, 1)] * (rows == ROWS[0]), *plan]:
                steps.append(measure(path, rows, dask, partitions, threads))
                print(steps[-1])
    TABLE.write_text(page(steps), encoding="utf-8")
    print(f"written to {TABLE}")


if __name__ == "__main__":
    main()
