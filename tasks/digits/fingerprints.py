"""Images by their content: which are the same, without keeping the images.

A digest is 64 bits. Among a million images the chance that any two share one by accident is about
one in forty million.
"""

import base64
from hashlib import blake2b

import numpy as np

_BYTES = 8
_LEVELS = 255  # pixels are compared as 8-bit ink, however they were stored


def image_digests(pixels: np.ndarray, pixel_max: float) -> np.ndarray:
    """Return (rows,) uint64 digests, equal for images that are equal pixel for pixel.

    Args:
        pixels: (rows, inputs), in any number type.
        pixel_max: the value of full ink.
    """
    if pixels.dtype == np.uint8 and pixel_max == _LEVELS:
        ink = np.ascontiguousarray(pixels)
    else:
        shares = np.clip(pixels / pixel_max, 0, 1)
        ink = np.rint(shares * _LEVELS).astype(np.uint8)
    digests = b"".join(blake2b(image, digest_size=_BYTES).digest() for image in ink)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def packed(digests: np.ndarray) -> str:
    """Return digests as text for JSON."""
    return base64.b64encode(digests.astype("<u8").tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    """Return the digests that were packed.

    Raises:
        ValueError: the text is not one that was packed here.
    """
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<u8").astype(np.uint64)


def seen_in(digests: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return which digests are among those of before, (rows,), at least one."""
    ordered = np.sort(before)
    places = np.searchsorted(ordered, digests)
    seen: np.ndarray = ordered[np.minimum(places, len(ordered) - 1)] == digests
    return seen
