"""Rows of a table while it is read, and the rules that rows of CSV and Parquet are both held to."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.digits.classes import label_type
from tasks.digits.csv_format import CsvFormat
from tasks.errors import DataError

LEAST, MOST = -0.5, 1.5  # ink as a share of pixel_max; resampled images overshoot by about 0.13
MOST_SIDE = 512  # of an image, in pixels; its row of numbers must fit in memory many times
_FAINT = 1.5  # no pixel above it under a pixel_max of 255 means pixels scaled to 0 … 1


@dataclass(frozen=True)
class Batch:
    """Some rows: (rows, side · side) pixels row by row, and (rows,) labels if there are any."""

    pixels: np.ndarray
    labels: np.ndarray | None


def in_range(pixels: np.ndarray, pixel_max: float) -> np.ndarray:
    """Return which pixels are near enough to 0 … pixel_max; NaN never is."""
    fits: np.ndarray = (pixels >= LEAST * pixel_max) & (pixels <= MOST * pixel_max)
    return fits


def row_by_row(pixels: np.ndarray, data: CsvFormat) -> np.ndarray:
    """Return (rows, side · side) pixels in row order, whichever order they are in."""
    if data.pixel_order == "row":
        return pixels
    side = round(pixels.shape[1] ** 0.5)
    return pixels.reshape(-1, side, side).swapaxes(1, 2).reshape(-1, side * side)


def as_labels(cells: np.ndarray, data: CsvFormat) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows,) numbers as labels, and which of them are none of the classes."""
    if data.label_ten_is_zero:
        cells = np.where(cells == 10, 0, cells)
    wrong = ~np.isin(cells, data.classes)
    return np.where(wrong, 0, cells).astype(label_type(data.classes)), wrong


def refuse_faint(path: Path, darkest: float, pixel_max: float) -> None:
    """Refuse a file in which pixel_max looks wrong.

    Args:
        path: the file.
        darkest: its greatest pixel.
        pixel_max: the value of full ink.

    Raises:
        DataError: the pixels seem to be scaled to 0 … 1, but full ink is said to be 255.
    """
    if pixel_max == 255 and darkest <= _FAINT:
        raise DataError(
            f"{path}: no pixel is above {darkest:g}, but full ink is 255. If the pixels are "
            "scaled to 0 … 1, set `pixel_max` to 1."
        )
