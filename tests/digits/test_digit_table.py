"""Digits in Parquet: what goes in comes out; the same digits give the same bytes."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from examples.digits import write_digits

from tasks.digits.table import ROWS_A_GROUP, Digits, read_batches, read_digits, read_rows
from tasks.digits.table_writer import digit_writer

MADE_BY = {"pixel_max": 255.0, "classes": list(range(10))}


def some_digits(rows: int, pixel_type: str = "uint8") -> Digits:
    """Return random 3 × 3 images."""
    rng = np.random.default_rng(rows)
    pixels = rng.integers(0, 256, (rows, 9)).astype(pixel_type)
    return Digits(pixels, rng.integers(0, 10, rows).astype(np.int8), 3, 255.0)


@pytest.mark.parametrize("pixel_type", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_what_goes_in_comes_out(tmp_path: Path, pixel_type: str) -> None:
    """Every type of pixel keeps its values and its type."""
    digits = some_digits(20, pixel_type)
    write_digits(digits, tmp_path / "d.parquet")
    back = read_digits(tmp_path / "d.parquet")
    assert back.pixels.dtype == digits.pixels.dtype
    assert (back.pixels == digits.pixels).all()
    assert back.labels.dtype == np.int8
    assert (back.labels == digits.labels).all()
    assert (back.image_side, back.pixel_max) == (3, 255.0)


@pytest.mark.parametrize(
    "rows", [1, ROWS_A_GROUP - 1, ROWS_A_GROUP, ROWS_A_GROUP + 1, 3 * ROWS_A_GROUP]
)
@pytest.mark.parametrize("step", [997, 4096, 10_000])
def test_bytes_do_not_depend_on_how_rows_arrived(tmp_path: Path, rows: int, step: int) -> None:
    """In batches of any size or all at once: the same file, its groups of one size."""
    digits = some_digits(rows)
    write_digits(digits, tmp_path / "whole.parquet")
    with digit_writer(tmp_path / "parts.parquet", "uint8", 3, MADE_BY) as append:
        for start in range(0, rows, step):
            part = slice(start, start + step)
            append(digits.pixels[part], digits.labels[part])
    whole = (tmp_path / "whole.parquet").read_bytes()
    assert (tmp_path / "parts.parquet").read_bytes() == whole
    assert (read_digits(tmp_path / "parts.parquet").pixels == digits.pixels).all()
    about = pq.read_metadata(tmp_path / "parts.parquet")
    groups = [about.row_group(number).num_rows for number in range(about.num_row_groups)]
    assert set(groups[:-1]) <= {ROWS_A_GROUP}
    assert 0 < groups[-1] <= ROWS_A_GROUP


def test_rows_picked_in_any_order_are_written_as_picked(tmp_path: Path) -> None:
    """Shuffled, strided and transposed arrays are written by value, not by how they lie."""
    digits = some_digits(50)
    fortran = Digits(np.asfortranarray(digits.pixels)[::-2], digits.labels[::-2], 3, 255.0)
    write_digits(fortran, tmp_path / "d.parquet")
    back = read_digits(tmp_path / "d.parquet")
    assert (back.pixels == digits.pixels[::-2]).all()
    assert (back.labels == digits.labels[::-2]).all()


def test_large_images_are_written_in_smaller_groups(tmp_path: Path) -> None:
    """A group of rows is bounded in bytes, so that a batch of any images fits in memory."""
    pixels = np.zeros((257, 512 * 512), np.uint8)
    pixels[:, 0] = np.arange(257) % 256
    write_digits(Digits(pixels, np.arange(257) % 10, 512, 255.0), tmp_path / "d.parquet")
    first, second = (batch for batch, _ in read_batches(tmp_path / "d.parquet"))
    assert (first == pixels[:256]).all()
    assert (second == pixels[256:]).all()


def test_some_rows_come_in_the_order_asked_for(tmp_path: Path) -> None:
    """Rows of any groups, the last and shorter one too; a row asked for twice comes twice."""
    digits = some_digits(2 * ROWS_A_GROUP + 10)
    write_digits(digits, tmp_path / "d.parquet")
    rows = [len(digits.labels) - 1, 3, ROWS_A_GROUP - 1, 3, len(digits.labels) - 10, 0]
    some = read_rows(tmp_path / "d.parquet", rows)
    assert (some.pixels == digits.pixels[rows]).all()
    assert (some.labels == digits.labels[rows]).all()
    assert len(read_rows(tmp_path / "d.parquet", []).pixels) == 0


def test_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    """A writer that fails after whole groups were written leaves no file."""
    digits = some_digits(2 * ROWS_A_GROUP)

    def fail() -> None:
        with digit_writer(tmp_path / "d.parquet", "uint8", 3, MADE_BY) as append:
            append(digits.pixels, digits.labels)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
