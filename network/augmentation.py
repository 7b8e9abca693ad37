"""New handwriting from old: images turned, sized, slanted, moved and bent a little, at random.

Trained on fresh variants every epoch, a network learns what a digit is and not which images it has
seen. Source of the elastic bending: Simard, Steinkraus and Platt 2003, Best Practices for
Convolutional Neural Networks Applied to Visual Document Analysis.
"""

import math

import numpy as np

# What strength 1 means. Lengths are shares of the image's side, so that any size bends alike.
ROTATION = math.radians(12)  # largest turn either way
SCALING = 0.15  # largest growth or shrinkage, each direction by itself
SHEAR = 0.15  # largest sideways slant, per unit of height
SHIFT = 0.04  # largest move, each direction by itself
BEND = 0.05  # standard deviation of the elastic displacement
SMOOTHNESS = 0.2  # standard deviation of the Gaussian that smooths it; no part of the strength

_CHUNK = 256  # images at a time, so that the work stays in the processor's cache


def distort(images: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Return a random variant of every image.

    Each pixel of a variant is read from its image at a displaced place, between pixels by bilinear
    interpolation and outside the image as 0. The displacement is a random linear map about the
    image's middle, a random shift, and a smoothed random field of its own for each image.

    Args:
        images: (examples, side · side) floats, pixels in row order, 0 for blank.
        rng: source of the variants.
        strength: multiplies all of the constants above but the smoothness; 0 changes nothing.

    Returns:
        (examples, side · side), the same number type; values within those of the images and 0.

    Raises:
        ValueError: the images are not square.
    """
    side = math.isqrt(images.shape[1])
    if side * side != images.shape[1]:
        raise ValueError(f"images {images.shape} are not square")
    distorted = np.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        x, y = _places(len(chunk), side, rng, strength, images.dtype)
        distorted[start : start + _CHUNK] = _read(chunk, x, y)
    return distorted


def _places(
    count: int, side: int, rng: np.random.Generator, strength: float, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Draw where each pixel is read from: x and y, each (count, side, side), in pixels."""

    def even(limit: float) -> np.ndarray:
        drawn = rng.uniform(-limit * strength, limit * strength, (count, 1, 1))
        return drawn.astype(dtype)

    angle, shear = even(ROTATION), even(SHEAR)
    wide, high = np.exp(even(SCALING)), np.exp(even(SCALING))
    sine, cosine = np.sin(angle), np.cos(angle)
    middle = (side - 1) / 2
    across = np.arange(side, dtype=dtype) - middle  # x, of each column
    down = across[:, np.newaxis]  # y, of each row
    x = wide * cosine * across + (wide * cosine * shear - high * sine) * down
    y = wide * sine * across + (wide * sine * shear + high * cosine) * down
    x += middle + side * even(SHIFT)
    y += middle + side * even(SHIFT)
    x += _smooth_field(count, side, rng, strength, dtype)
    y += _smooth_field(count, side, rng, strength, dtype)
    return x, y


def _smooth_field(
    count: int, side: int, rng: np.random.Generator, strength: float, dtype: np.dtype
) -> np.ndarray:
    """Draw a random displacement for every pixel, (count, side, side), alike between neighbours."""
    pixels = np.arange(side)
    distance = (pixels - pixels[:, np.newaxis]) / (SMOOTHNESS * side)
    gaussian = np.exp(-(distance**2) / 2)
    gaussian /= np.sqrt((gaussian**2).sum(axis=1, keepdims=True))  # keeps the deviation at 1
    smooth = gaussian.astype(dtype)
    noise = rng.standard_normal((count, side, side), dtype=dtype)
    field: np.ndarray = smooth @ (noise @ smooth.T)
    field *= BEND * strength * side
    return field


def _read(images: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the images as read at the places x, y: (count, side · side)."""
    count, side, _ = x.shape
    wide = side + 3  # a blank border, 1 before and 2 after, is what lies outside
    bordered = np.zeros((count, wide, wide), images.dtype)
    bordered[:, 1:-2, 1:-2] = images.reshape(count, side, side)
    x, y = np.clip(x + 1, 0, side + 1), np.clip(y + 1, 0, side + 1)
    left, above = x.astype(np.intp), y.astype(np.intp)
    x -= left  # from here on the shares of the right and lower neighbour
    y -= above
    corner = (np.arange(count)[:, np.newaxis, np.newaxis] * wide + above) * wide + left
    flat: np.ndarray = bordered.ravel()
    upper: np.ndarray = flat[corner]
    upper_right = flat[corner + 1]
    lower, lower_right = flat[corner + wide], flat[corner + wide + 1]
    upper += x * (upper_right - upper)
    lower += x * (lower_right - lower)
    upper += y * (lower - upper)
    return upper.reshape(count, -1)
