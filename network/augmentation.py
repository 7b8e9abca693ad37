"""Random distortions of images: rotated, scaled, sheared, shifted and bent a little.

Trained on new variants in every epoch, a network learns the digits and not the images. Source of
the elastic bending: Simard, Steinkraus and Platt 2003, Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis.
"""

import math

import numpy as np

# What strength 1 means. Lengths are shares of the image's side, so that any size bends alike.
ROTATION = math.radians(9)  # largest angle either way
SCALING = 0.15  # largest scaling up or down, each direction by itself
SHEAR = 0.3  # largest sideways shear, per unit of height
SHIFT = 0.02  # largest shift, each direction by itself
BEND = 0.05  # standard deviation of the elastic displacement
SMOOTHNESS = 0.3  # standard deviation of the Gaussian that smooths it; not scaled by the strength

_CHUNK = 256  # images at a time, so that the work stays in the processor's cache


def distort(images: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Return a random variant of every image.

    Each pixel of a variant is read from its image at a displaced place, between pixels by bilinear
    interpolation and outside the image as 0. The displacement is a random linear map about the
    image's middle, a random shift, and a smooth random field of its own for each image.

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
    patterns = _patterns(side).astype(images.dtype)
    distorted = np.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        x, y = (
            (side * amounts).astype(images.dtype) @ patterns
            for amounts in _amounts(len(chunk), len(patterns), rng, strength)
        )
        distorted[start : start + _CHUNK] = _read(chunk, x, y)
    return distorted


def _patterns(side: int) -> np.ndarray:
    """Return what every place is a sum of, (patterns, side · side), lengths in shares of the side.

    The first three are the distance from the middle to the right, the same downwards, and 1. The
    others are Gaussian bumps on a grid; in random amounts they make up a smooth random field.
    """
    across = (np.arange(side) - (side - 1) / 2) / side
    reach = math.ceil(0.5 / SMOOTHNESS)  # the grid ends just outside the image
    knots = SMOOTHNESS * np.arange(-reach, reach + 1)
    bumps = np.exp(-(((across - knots[:, np.newaxis]) / SMOOTHNESS) ** 2) / 2)
    bumps /= np.sqrt((bumps**2).sum(axis=0))  # so the field's deviation is 1 at every pixel
    ones = np.ones(side)
    return np.vstack(
        [np.kron(ones, across), np.kron(across, ones), np.kron(ones, ones), np.kron(bumps, bumps)]
    )


def _amounts(
    count: int, patterns: int, rng: np.random.Generator, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw how much of each pattern makes up x, and y: two arrays (count, patterns)."""

    def even(limit: float) -> np.ndarray:
        return rng.uniform(-limit * strength, limit * strength, count)

    angle, shear = even(ROTATION), even(SHEAR)
    wide, high = np.exp(even(SCALING)), np.exp(even(SCALING))
    sine, cosine = np.sin(angle), np.cos(angle)
    x, y = rng.normal(0, BEND * strength, (2, count, patterns))
    x[:, 0], x[:, 1] = wide * cosine, wide * cosine * shear - high * sine
    y[:, 0], y[:, 1] = wide * sine, wide * sine * shear + high * cosine
    x[:, 2], y[:, 2] = even(SHIFT), even(SHIFT)
    return x, y


def _read(images: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the images as read at places x and y in pixels from the middle, (count, side · side).

    The places are overwritten.
    """
    count = len(images)
    side = math.isqrt(images.shape[1])
    wide = side + 3  # a blank border, 1 before and 2 after, is what lies outside
    bordered = np.zeros((count, wide, wide), images.dtype)
    bordered[:, 1:-2, 1:-2] = images.reshape(count, side, side)
    for places in (x, y):
        places += (side - 1) / 2 + 1
        np.clip(places, 0, side + 1, out=places)
    left, above = np.floor(x), np.floor(y)
    x -= left  # from here on the shares of the right and lower neighbour
    y -= above
    above *= wide
    above += left
    corner = above.astype(np.intp)
    corner += wide * wide * np.arange(count)[:, np.newaxis]
    flat = bordered.ravel()
    upper: np.ndarray = flat[corner]
    upper_right = flat[1:][corner]
    lower, lower_right = flat[wide:][corner], flat[wide + 1 :][corner]
    for near, far, share in ((upper, upper_right, x), (lower, lower_right, x), (upper, lower, y)):
        far -= near
        far *= share
        near += far
    return upper
