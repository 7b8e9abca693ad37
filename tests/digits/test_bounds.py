"""However a file is made, reading it takes little memory: it is read, or refused with the place."""

import gzip
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples.digits import write_digits
from examples.memory import read_in_process
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.digits.csv_format import CsvFormat
from tasks.digits.parquet_reader import read_parquet_images
from tasks.digits.table import Digits
from tasks.errors import DataError

MB = 1 << 20
GOOD = b"".join(b"200," * 400 + b"%d\n" % (label % 10) for label in range(20))
TOO_LONG = "longer than 16 MB, which is the most a line may have. Expected is one image a line."
TOO_BLANK = "more than 16 MB of blank lines. Take them out; expected is one image a line."
TOO_WIDE = "1000001 columns. Allowed are 262145 at most, which are 512 × 512 pixels and a label."


def sparse(csv: Path) -> None:
    """Write good rows and then two gigabytes without a line end, which take no room on the disk."""
    csv.write_bytes(GOOD)
    os.truncate(csv, 2048 * MB)


def packed(csv: Path, start: bytes, more: bytes) -> None:
    """Write a gzip of a start and 2 GB of something else, 16 MB at a time."""
    csv.write_bytes(gzip.compress(start) + gzip.compress(more * (16 * MB // len(more))) * 128)


def wide(csv: Path, start: bytes) -> None:
    """Write lines of a million pixels."""
    csv.write_bytes(start + (b"0," * 1_000_000 + b"7\n") * 3)


def largest(csv: Path) -> None:
    """Write images as large as they may be, with cells as long as pixels ever are."""
    cells = b"200.00000000000001," * 512**2
    csv.write_bytes(b"".join(cells + b"%d\n" % (label % 10) for label in range(10)))


def named_twice(csv: Path) -> None:
    """Write a header of very many names, the last of which was there before."""
    names = b",".join(b"p%d" % column for column in range(511**2))
    csv.write_bytes(names + b",p5\n" + b"0," * 511**2 + b"7\n")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (sparse, f"line 21: {TOO_LONG}"),
        (lambda csv: packed(csv, GOOD, b"0,"), f"line 21: {TOO_LONG}"),
        (lambda csv: packed(csv, b"", b"\n"), f"line 16777217: {TOO_BLANK}"),
        (lambda csv: packed(csv, GOOD, b"\n"), f"line 17793773: {TOO_BLANK}"),
        (lambda csv: wide(csv, b""), f"line 1: {TOO_WIDE}"),
        (
            lambda csv: wide(csv, GOOD),
            "line 21: 1000001 columns, but line 1 has 401. Every line must have as many.",
        ),
        (
            lambda csv: csv.write_bytes(GOOD + b"," * (15 * MB) + b"\n"),
            "line 21: 15728641 columns, but line 1 has 401. Every line must have as many.",
        ),
        (
            named_twice,
            "line 1: the header names column 'p5' twice. Give each its own name.",
        ),
        (largest, ""),
    ],
    ids=[
        *["endless line", "endless line in a gzip", "blank lines first", "blank lines between"],
        *["too wide", "too wide further on", "commas", "names", "as large as allowed"],
    ],
)
def test_a_csv_is_read_in_little_memory(
    tmp_path: Path, write: Callable[[Path], None], message: str
) -> None:
    """A line has at most 16 MB and an image 512 × 512 pixels; reading never takes 400 MB."""
    csv = tmp_path / "digits.csv"
    write(csv)
    assert said_of(csv) == message


def said_of(path: Path) -> str:
    """Read a file in a process; return what was said of it, having seen how much memory it took."""
    message, megabytes = read_in_process(path)
    assert megabytes < 400
    return message.removeprefix(f"{path}: ")


def one_endless_list(parquet: Path) -> None:
    """Write a list of 48 million pixels, which take some kilobytes on the disk."""
    pixels = pa.array(np.full(48 * MB, 200, np.uint8))
    lists = pa.ListArray.from_arrays(pa.array([0, len(pixels)], pa.int32()), pixels)
    pq.write_table(pa.table({"pixels": lists, "label": [1]}), parquet, use_dictionary=False)


def one_large_group(parquet: Path) -> None:
    """Write 50,000 images as one group of rows."""
    images = pa.FixedSizeListArray.from_arrays(pa.array(np.full(400 * 50_000, 200.0)), 400)
    pq.write_table(pa.table({"pixels": images}), parquet, row_group_size=len(images))


def long_labels(parquet: Path) -> None:
    """Write labels of 64 MB each, all the same, so that they take little on the disk."""
    label = pa.array(["x" * (64 * MB)])
    labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(30, np.int32)), label)
    columns = {f"p{column}": np.full(30, 200, np.uint8) for column in range(400)}
    pq.write_table(pa.table({**columns, "label": labels}), parquet)


def large_footer(parquet: Path) -> None:
    """Write a file that says that its footer has 1.9 GB; they take no room on the disk."""
    parquet.write_bytes(b"PAR1")
    os.truncate(parquet, 2048 * MB - 8)
    with parquet.open("ab") as file:
        file.write((1900 * MB).to_bytes(4, "little") + b"PAR1")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            one_endless_list,
            "column 'pixels' holds list<element: uint8>. Each of its lists must be the 400 pixels "
            "of an image, 20 × 20, all of them numbers.",
        ),
        (one_large_group, ""),
        (
            long_labels,
            "column 'label' holds dictionary<values=string, indices=int32, ordered=0>. A label "
            "must be a number.",
        ),
        (
            large_footer,
            "a footer of 1900 MB, of which 16 MB are the most a Parquet file may have. Write it "
            "with fewer columns or larger groups of rows.",
        ),
    ],
    ids=["endless list", "large group", "long labels", "large footer"],
)
def test_a_parquet_is_read_in_little_memory(
    tmp_path: Path, write: Callable[[Path], None], message: str
) -> None:
    """However large its groups, lists, texts and footer are."""
    parquet = tmp_path / "digits.parquet"
    write(parquet)
    assert said_of(parquet) == message


@pytest.mark.parametrize(
    "about",
    [
        *[b"{", b"[]", b"{}", b"[" * 100_000, b"\xff"],
        *[b'{"image_side": "x", "pixel_max": 1}', b'{"image_side": 20, "pixel_max": NaN}'],
    ],
)
def test_wrong_metadata_are_one_clear_error(tmp_path: Path, about: bytes) -> None:
    """A file that says ingest wrote it is not believed when it says no more that makes sense."""
    images = pa.FixedSizeListArray.from_arrays(pa.array(np.full(800, 200, np.uint8)), 400)
    table = pa.table({"pixels": images, "label": [1, 2]}).replace_schema_metadata({"digits": about})
    pq.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(DataError, match="its metadata say that ingest wrote it, but"):
        next(read_parquet_images(tmp_path / "d.parquet", CsvFormat(), 20))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 255)), min_size=1, max_size=3))
@example([(-1, 0)])
def test_any_damage_to_a_parquet(changes: list[tuple[int, int]]) -> None:
    """Wrong bytes anywhere, counted from the end, are read as numbers or are a data error."""
    content = bytearray(whole_parquet())
    for place, value in changes:
        content[-place % len(content)] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.parquet"
        path.write_bytes(content)
        try:
            rows = sum(len(batch.pixels) for batch in read_parquet_images(path, CsvFormat(), 4))
        except DataError as error:
            rows, message = 0, str(error)
        assert rows or message.startswith(f"{path}: ")


@cache
def whole_parquet() -> bytes:
    """Return a small file as ingest writes it."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (50, 16)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.parquet"
        write_digits(Digits(pixels, (np.arange(50) % 10).astype(np.int8), 4, 255.0), path)
        return path.read_bytes()
