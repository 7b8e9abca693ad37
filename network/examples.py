"""What a network learns from: images, and the output each of them should give."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # images in and out, same shape


class Images(Protocol):
    """A matrix of images: an array, or what rows can be read of as of an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of examples, number of inputs."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def __getitem__(self, rows: Any, /) -> Any:
        """Return the images of an array of row numbers; of a slice, such a matrix of its rows."""


@dataclass(frozen=True)
class Examples:
    """Images and their targets, a row each.

    Attributes:
        images: (examples, inputs) numbers of any type, about 0 … `pixel_max`.
        targets: (examples, outputs) numbers of any type, 1 for the right output, 0 for the others.
        pixel_max: the value that becomes 1.
        augment: returns new variants of some images for every epoch, given them as floats, about
            0 … 1, and a generator; None leaves the images as they are.

    Raises:
        ValueError: one of them is not a matrix, or their numbers of rows differ.
    """

    images: Images
    targets: np.ndarray
    pixel_max: float = 1.0
    augment: Augment | None = None

    def __post_init__(self) -> None:
        """Refuse rows that do not belong together."""
        matrices = len(self.images.shape) == self.targets.ndim == 2
        if not matrices or len(self.images) != len(self.targets):
            raise ValueError(
                f"images {self.images.shape} and targets {self.targets.shape}: expected a row an "
                "example in both"
            )

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.images)

    def part(self, rows: slice | np.ndarray) -> Self:
        """Return some of the examples, by a slice or by row numbers."""
        return replace(self, images=self.images[rows], targets=self.targets[rows])

    def scaled(self, rows: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Return the images of some rows as (rows, inputs) floats with 1 for `pixel_max`."""
        images: np.ndarray = np.divide(self.images[rows], self.pixel_max, dtype=dtype)
        return images
