"""What a set of digits is like, small enough to keep: to be compared with another day's."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

from tasks.digits.classes import DIGITS, class_counts, class_numbers
from tasks.digits.fingerprints import image_digests, packed, seen_in, unpacked
from tasks.digits.table import read_batches

INK_BINS = 100  # of the histogram, over mean ink from 0 to 1
_REGIONS = 4  # a side
_MOST_DIGESTS = 1 << 18  # kept of a profile, so that it stays a small file
_DECIMALS = 6


class Profile(BaseModel):
    """A set of digits in numbers. Ink is a share: 0 is blank, 1 is full."""

    model_config = ConfigDict(frozen=True)

    rows: int
    image_side: int
    classes: tuple[int, ...] = DIGITS  # the labels there are, ascending
    counts: tuple[int, ...]  # of each class
    ink: tuple[float | None, ...]  # mean ink of each class's images; None where there are none
    ink_histogram: tuple[int, ...]  # images by their mean ink
    regions: tuple[tuple[float, ...], ...]  # mean ink of 4 × 4 parts of the image, top row first
    duplicates: int  # images that equal an earlier one pixel for pixel
    digests: str  # of the images without the duplicates, ascending, no more than the first 262,144

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        lengths = len(self.counts), len(self.ink), len(self.ink_histogram)
        digests = min(self.rows - self.duplicates, _MOST_DIGESTS)
        classes = len(self.classes)
        if (
            lengths != (classes, classes, INK_BINS)
            or sum(self.counts) != self.rows
            or len(unpacked(self.digests)) != digests
        ):
            raise ValueError("the numbers of a profile do not fit together")
        return self


def profile_of(parquet: Path, pixel_max: float, classes: Sequence[int]) -> Profile:
    """Profile the digits of a Parquet file that ingest wrote, some thousand at a time.

    Args:
        parquet: at least one row.
        pixel_max: the value of full ink.
        classes: the labels there are, ascending.
    """
    counts = np.zeros(len(classes), dtype=np.int64)
    histogram = np.zeros(INK_BINS, dtype=np.int64)
    class_ink = np.zeros(len(classes))  # mean ink of the images, summed
    pixel_ink: np.ndarray = np.zeros(())  # (side · side) summed, once the side is known
    digests: list[np.ndarray] = []
    for pixels, labels in read_batches(parquet):
        digests.append(image_digests(pixels, pixel_max))
        counts += class_counts(labels, classes)
        means = pixels.mean(axis=1, dtype=np.float64) / pixel_max
        histogram += np.histogram(np.clip(means, 0, 1), INK_BINS, (0, 1))[0]
        class_ink += np.bincount(class_numbers(labels, classes), means, len(classes))
        pixel_ink = pixel_ink + pixels.sum(axis=0, dtype=np.float64) / pixel_max
    side = math.isqrt(len(pixel_ink))
    rows = int(counts.sum())
    every = np.concatenate(digests)
    every.sort()  # in its place, with 8 bytes a row
    distinct = every[np.append(True, every[1:] != every[:-1])]
    return Profile(
        rows=rows,
        image_side=side,
        classes=tuple(classes),
        counts=tuple(counts.tolist()),
        ink=tuple(
            round(float(total), _DECIMALS) if count else None
            for total, count in zip(class_ink / np.maximum(counts, 1), counts, strict=True)
        ),
        ink_histogram=tuple(histogram.tolist()),
        regions=_regions((pixel_ink / rows).reshape(side, side)),
        duplicates=rows - len(distinct),
        digests=packed(distinct[:_MOST_DIGESTS]),
    )


def share_seen(now: Profile, before: Profile) -> float:
    """Return the share of today's different images that were there before.

    Digests are as good as random, so those that are no greater than the last one known of before
    are a fair sample, and all where all are known. Source: Cohen and Kaplan (2007), Summarizing
    data using bottom-k sketches.
    """
    digests, known = unpacked(now.digests), unpacked(before.digests)
    if len(known) < before.rows - before.duplicates:
        digests = digests[digests <= known[-1]]
    return float(seen_in(digests, known).mean()) if len(digests) and len(known) else 0.0


def _regions(image: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Return the mean of each part of an image; an image of few pixels has fewer parts."""
    parts = min(_REGIONS, len(image))
    rows = np.array_split(image, parts, axis=0)
    return tuple(
        tuple(round(float(part.mean()), _DECIMALS) for part in np.array_split(row, parts, axis=1))
        for row in rows
    )
