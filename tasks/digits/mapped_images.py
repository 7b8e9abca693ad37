"""Digits whose images stay on the disk: memory holds only the rows that are being read.

A stored table is compressed, so its pixels are first copied to a file as they are in memory.
"""

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.digits.table import read_batches, read_info, read_labels, rows_in_group

_ROWS_AT_A_TIME = 256  # each may bring 64 KB of the file around it into memory


class MappedImages:
    """A matrix in a file: a slice of it is one too, and the rows of an array of numbers are read.

    Args:
        pages: the file, mapped into memory.
        pixels: (rows, side · side), an array over it.
    """

    def __init__(self, pages: mmap.mmap, pixels: np.ndarray) -> None:
        self._pages, self._pixels = pages, pixels

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows, and pixels of an image."""
        return self._pixels.shape

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._pixels)

    def __getitem__(self, rows: slice | np.ndarray) -> "MappedImages | np.ndarray":
        """Return the rows of a slice, still on the disk, or those of an array of numbers, read."""
        if isinstance(rows, slice):
            return MappedImages(self._pages, self._pixels[rows])
        images = np.empty((len(rows), self.shape[1]), self._pixels.dtype)
        for start in range(0, len(rows), _ROWS_AT_A_TIME):
            some = slice(start, start + _ROWS_AT_A_TIME)
            images[some] = self._pixels[rows[some]]
            # What was read would count as memory in use for as long as the file is mapped.
            self._pages.madvise(mmap.MADV_DONTNEED)
        return images


@dataclass(frozen=True)
class MappedDigits:
    """Labelled images on the disk; the attributes are those of `Digits`."""

    pixels: MappedImages
    labels: np.ndarray
    pixel_max: float
    classes: tuple[int, ...]


@contextmanager
def mapped_digits(parquet: Path, scratch: Path, first: int = 0) -> Iterator[MappedDigits]:
    """Yield the digits of a file that was written here.

    Args:
        parquet: the file.
        scratch: a folder with room for the pixels as they are. The file there has no name, so it
            is gone with this process, however that ends.
        first: the first row whose image is asked for. Those of earlier rows are not copied, take no
            room and have pixels of 0.
    """
    info = read_info(parquet)
    with tempfile.TemporaryFile(dir=scratch) as file:
        row = info.image_side**2 * np.dtype(info.pixel_type).itemsize
        file.truncate(info.rows * row)
        size = rows_in_group(info.image_side, info.pixel_type)
        groups = range(first // size, -(-info.rows // size)) if first < info.rows else range(0)
        file.seek(groups.start * size * row)
        for pixels, _ in read_batches(parquet, list(groups)):
            file.write(pixels.data)
        file.flush()
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        pixels = np.frombuffer(pages, info.pixel_type).reshape(info.rows, info.image_side**2)
        images = MappedImages(pages, pixels)
        yield MappedDigits(images, read_labels(parquet), info.pixel_max, info.classes)
