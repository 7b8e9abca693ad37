"""Digits on the disk: read as an array is, out of memory again, and gone with the process."""

import mmap
import tempfile
from pathlib import Path

import numpy as np
import pytest
from examples.digits import write_digits

from tasks.digits.mapped_images import MappedImages, mapped_digits
from tasks.digits.table import Digits

MB = 1 << 20


@pytest.mark.parametrize("pixel_type", ["uint8", "uint16", "float64"])
def test_rows_are_those_of_the_array(tmp_path: Path, pixel_type: str) -> None:
    """A slice, a slice of a slice and row numbers in any order give what the array gives."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (9000, 9)).astype(pixel_type)
    labels = rng.integers(0, 3, 9000).astype(np.int8)
    write_digits(Digits(pixels, labels, 3, 255.0, (0, 1, 2)), tmp_path / "d.parquet")
    with mapped_digits(tmp_path / "d.parquet", tmp_path) as digits:
        images = digits.pixels
        assert images.shape == (9000, 9)
        assert (digits.labels == labels).all()
        assert (digits.pixel_max, digits.classes) == (255.0, (0, 1, 2))
        held_out = images[5000:][100:200]
        assert held_out.shape == (100, 9)
        read = held_out[np.arange(100)]
        assert read.dtype == pixel_type
        assert (read == pixels[5100:5200]).all()
        order = rng.permutation(4000)
        assert (images[5000:][order] == pixels[5000:][order]).all()
        # The file has no name that could be left behind.
        assert [path.name for path in tmp_path.iterdir()] == ["d.parquet"]


def from_files_in_memory() -> int:
    """Return the bytes that mapped files take of this process's memory."""
    status = Path("/proc/self/status").read_text()
    (size,) = (line.split()[1] for line in status.splitlines() if line.startswith("RssFile"))
    return 1024 * int(size)


def test_what_was_read_is_given_back() -> None:
    """A file of 64 MB, read in any order, is not in memory afterwards."""
    with tempfile.TemporaryFile() as file:
        file.write(bytes(64 * MB))
        file.flush()
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        pixels = np.frombuffer(pages, np.uint8).reshape(-1, 1024)
        before = from_files_in_memory()
        assert pixels.sum() == 0
        assert from_files_in_memory() - before > 48 * MB
        images = MappedImages(pages, pixels)
        for rows in np.random.default_rng(0).permutation(len(images)).reshape(16, -1):
            images[rows]
            assert from_files_in_memory() - before < 16 * MB
