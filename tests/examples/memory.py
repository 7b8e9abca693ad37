"""How much memory it takes to read a file of digits."""

from multiprocessing.connection import Connection
from pathlib import Path

from examples.real_runs import WARM
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.parquet_reader import read_parquet_images
from tasks.errors import DataError


def read_in_process(path: Path) -> tuple[str, int]:
    """Read a CSV or Parquet file of 20 × 20 images as ingest does, in a process of its own.

    Returns:
        The message of the error, or nothing, and by how many MB the process grew at most.
    """
    ours, theirs = WARM.Pipe()
    process = WARM.Process(target=_read, args=(path, theirs))
    process.start()
    theirs.close()
    with ours:
        message, megabytes = ours.recv()
    process.join()
    return message, megabytes


def _read(path: Path, found: Connection) -> None:
    before, message = _megabytes("VmRSS"), ""
    try:
        if path.suffix == ".parquet":
            for _ in read_parquet_images(path, CsvFormat(), 20):
                pass
        else:
            csv_to_parquet(path, path.with_suffix(".parquet"), CsvFormat())
    except DataError as error:
        message = str(error)
    found.send((message, _megabytes("VmHWM") - before))


def _megabytes(what: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) // 1024
