"""What is measured: shapes, settings and data, the same for every contestant."""

from dataclasses import dataclass

import numpy as np

OUTPUTS = 10


@dataclass(frozen=True)
class Training:
    """Training of one network on random images."""

    examples: int
    sizes: tuple[int, ...]  # inputs, hidden layers, outputs
    epochs: int
    batch_size: int | None  # None is the full batch
    learning_rate: float
    l2: float
    dtype: str = "float32"

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return images (examples, inputs) and one-hot targets (examples, 10)."""
        return random_digits(self.examples, self.sizes[0], self.dtype)


def random_digits(examples: int, inputs: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return random images and one-hot targets, always the same."""
    rng = np.random.default_rng(0)
    images = rng.random((examples, inputs), dtype="float32").astype(dtype)
    return images, np.eye(OUTPUTS, dtype=dtype)[rng.integers(0, OUTPUTS, examples)]


CLASSIC = Training(4000, (400, 40, 10), 400, None, 1.2, 1.0)
CLASSIC_FLOAT64 = Training(4000, (400, 40, 10), 400, None, 1.2, 1.0, "float64")
BATCHES_OF_128 = Training(60_000, (784, 300, 10), 1, 128, 0.1, 0.0)
BATCHES_OF_32 = Training(4000, (400, 300, 100, 10), 1, 32, 0.1, 0.0)

PREDICTED_IMAGES = 1_000_000
PREDICTING_SIZES = (400, 40, 10)
