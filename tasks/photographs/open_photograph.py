"""A photograph or scan opened safely: one upright picture in shades of grey."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tasks.errors import InputError

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")

# Pillow's readers meet a damaged file with any of these; each means the picture can't be decoded.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError)


def open_photograph(path: Path) -> np.ndarray:
    """Read a picture as shades of grey, turned upright as its EXIF data says.

    Of several pages or frames the first is taken. What is transparent becomes paper: white under
    dark ink, black under light ink.

    Args:
        path: a PNG, JPEG, BMP, TIFF or WEBP, whatever it is called.

    Returns:
        (height, width) uint8, 0 black … 255 white.

    Raises:
        InputError: it is no such picture, is cut off or damaged, or is too large to decode.
    """
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture that is up to twice too large.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # What it warns of besides, such as odd EXIF data, does not keep a picture from use.
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(path, formats=FORMATS) as picture:
                return _grey(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"{path}: a picture of more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels, which is more "
            "than is read. Cut it or scale it down."
        ) from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path}: no picture that can be read. Allowed are PNG, JPEG, BMP, TIFF and WEBP."
        ) from error
    except (*_DAMAGED, MemoryError) as error:
        raise InputError(
            f"{path}: the picture is cut off or damaged ({error}). Save it anew."
        ) from error


def _grey(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith(("I", "F")):
        return _stretched(np.asarray(picture, dtype=np.float32))
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    both = np.asarray(picture.convert("LA"), dtype=np.float32)
    shade, opacity = both[..., 0], both[..., 1] / 255
    ink = (shade * opacity).sum() / max(opacity.sum(), 1.0)
    paper = 255.0 if ink < 128 else 0.0
    return (shade * opacity + paper * (1 - opacity)).round().astype(np.uint8)


def _stretched(shade: np.ndarray) -> np.ndarray:
    """Return shades of any range, such as those of 16 bits, as 0 … 255."""
    shade = np.nan_to_num(shade, posinf=0.0, neginf=0.0)
    shade = shade - shade.min()
    return (shade * (255 / max(float(shade.max()), 1e-9))).round().astype(np.uint8)
