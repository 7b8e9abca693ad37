"""What a network learns from: images, and the output each of them should give."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Examples:
    """Images and their targets, a row each.

    Attributes:
        images: (examples, inputs), about 0 … 1.
        targets: (examples, outputs), 1 for the right output, 0 for the others.

    Raises:
        ValueError: one of them is not a matrix, or their numbers of rows differ.
    """

    images: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        """Refuse rows that do not belong together."""
        matrices = self.images.ndim == self.targets.ndim == 2
        if not matrices or len(self.images) != len(self.targets):
            raise ValueError(
                f"images {self.images.shape} and targets {self.targets.shape}: expected a row an "
                "example in both"
            )

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.images)
