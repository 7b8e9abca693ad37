"""Convolutional layers: the same small kernels, applied at every second place of an image.

A convolutional layer is a layer like any other, with a matrix that is mostly zeros and in which few
weights, those of its kernels, come again at every place. Training changes the kernels; afterwards
`matrix` writes them out, so that the trained network is the plain list of matrices it always is.
Source: LeCun, Bottou, Bengio and Haffner 1998, Gradient-Based Learning Applied to Document
Recognition; without pooling, as Simard, Steinkraus and Platt 2003.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

KERNEL = 5  # side of a kernel in pixels
STRIDE = 2  # distance of neighbouring places
BORDER = 1  # blank pixels around an image, so that kernels see whole what is near its edge


@dataclass(frozen=True)
class Convolution:
    """One convolutional layer: several square maps of numbers in, several smaller ones out.

    Its kernels are a matrix (maps, 1 + maps_before · 5 · 5), bias in column 0. The numbers of an
    image lie map by map, each in row order, and so do those of the layer's output.

    Attributes:
        maps_before: number of maps in; 1 for the image itself.
        side: of each map in, in pixels, at least 3.
        maps: number of maps out, one a kernel.
    """

    maps_before: int
    side: int
    maps: int

    @property
    def side_after(self) -> int:
        """Side of each map out."""
        return (self.side + 2 * BORDER - KERNEL) // STRIDE + 1

    @property
    def places(self) -> int:
        """How often each kernel is applied."""
        return self.side_after**2

    @property
    def inputs(self) -> int:
        """How many numbers go in, without the 1 for the bias."""
        return self.maps_before * self.side**2

    @property
    def weights_per_kernel(self) -> int:
        """How many weights a kernel has, without its bias."""
        return self.maps_before * KERNEL**2

    @property
    def outputs(self) -> int:
        """How many numbers come out."""
        return self.maps * self.places

    @property
    def width(self) -> int:
        """How many numbers of an image the layer works on at once: its output or all patches."""
        return max(self.outputs, (1 + self.weights_per_kernel) * self.places)

    @cached_property
    def _rows(self) -> np.ndarray:
        """Which input each weight of a kernel meets at each place, (1 + weights, places).

        Row 0 is the bias, which meets input 0, the 1. The border is the number after the last
        input's.
        """
        numbers = 1 + np.arange(self.inputs).reshape(self.maps_before, self.side, self.side)
        around = ((0, 0), (BORDER, BORDER), (BORDER, BORDER))
        bordered = np.pad(numbers, around, constant_values=1 + self.inputs)
        windows = sliding_window_view(bordered, (KERNEL, KERNEL), axis=(1, 2))
        seen = windows[:, ::STRIDE, ::STRIDE].transpose(0, 3, 4, 1, 2)
        return np.insert(seen.reshape(-1, self.places), 0, 0, axis=0)

    @cached_property
    def uses(self) -> np.ndarray:
        """How often the matrix has each weight of a kernel, (weights,); the border has none."""
        uses: np.ndarray = (self._rows[1:] <= self.inputs).sum(axis=1)
        return uses

    def patches(self, before: np.ndarray) -> np.ndarray:
        """Return what the kernels see at every place; kernels @ patches are the weighted sums.

        Args:
            before: (1 + inputs, examples), row 0 all ones.

        Returns:
            (1 + weights of a kernel, places · examples), row 0 all ones.
        """
        border = np.zeros((1, before.shape[1]), before.dtype)
        seen = np.concatenate([before, border]).take(self._rows, axis=0)
        return seen.reshape(len(self._rows), -1)

    def error_before(self, kernels: np.ndarray, error: np.ndarray) -> np.ndarray:
        """Return the error propagated to the inputs, (inputs, examples).

        Each input gets the sum over all kernels and places that see it.

        Args:
            kernels: (maps, 1 + weights of a kernel).
            error: of the outputs, (outputs, examples).
        """
        examples, after = error.shape[1], self.side_after
        seen = kernels[:, 1:].T @ error.reshape(self.maps, -1)
        seen = seen.reshape(self.maps_before, KERNEL, KERNEL, after, after, examples)
        wide = self.side + 2 * BORDER
        bordered = np.zeros((self.maps_before, wide, wide, examples), error.dtype)
        reach = STRIDE * (after - 1) + 1
        for y, x in np.ndindex(KERNEL, KERNEL):
            bordered[:, y : y + reach : STRIDE, x : x + reach : STRIDE] += seen[:, y, x]
        return bordered[:, BORDER:-BORDER, BORDER:-BORDER].reshape(self.inputs, examples)

    def matrix(self, kernels: np.ndarray) -> np.ndarray:
        """Write the kernels out as the layer's matrix, (outputs, 1 + inputs), bias in column 0."""
        bordered = np.zeros((self.maps, self.places, 1 + self.inputs + 1), kernels.dtype)
        bordered[:, np.arange(self.places), self._rows] = kernels[:, :, np.newaxis]
        return bordered[:, :, :-1].reshape(self.outputs, -1)

    def kernels(self, matrix: np.ndarray) -> np.ndarray:
        """Return the kernels that `matrix` wrote out; weights that it does not use are 0.

        Raises:
            ValueError: the matrix is not one of this layer.
        """
        if matrix.shape == (self.outputs, 1 + self.inputs):
            bordered = np.pad(matrix, ((0, 0), (0, 1))).reshape(self.maps, self.places, -1)
            place = (self._rows <= self.inputs).argmax(axis=1)  # the first that uses each weight
            kernels: np.ndarray = bordered[:, place, self._rows[np.arange(len(place)), place]]
            if np.array_equal(self.matrix(kernels), matrix):
                return kernels
        raise ValueError(
            f"a matrix {matrix.shape} that is not that of {self.maps} kernels on "
            f"{self.maps_before} maps of {self.side} × {self.side}"
        )


def convolutions(inputs: int, maps: Sequence[int]) -> list[Convolution]:
    """Return convolutional layers, each on the maps of the one before, the first on the image.

    Args:
        inputs: pixels of an image, a square number.
        maps: how many maps each layer has.

    Raises:
        ValueError: the image is too small for so many layers, or not square.
    """
    side, before = math.isqrt(inputs), 1
    if side**2 != inputs:
        raise ValueError(f"images of {inputs} pixels are not square")
    layers: list[Convolution] = []
    for after in maps:
        if side + 2 * BORDER < KERNEL:
            raise ValueError(f"{len(maps)} convolutional layers are too many for {inputs} pixels")
        layers.append(Convolution(before, side, after))
        side, before = layers[-1].side_after, after
    return layers


def plain_matrices(
    weights: Sequence[np.ndarray], layers: Sequence[Convolution]
) -> list[np.ndarray]:
    """Return a network's weights with the kernels of its first layers written out."""
    written = [layer.matrix(kernels) for layer, kernels in zip(layers, weights, strict=False)]
    return [*written, *weights[len(layers) :]]
