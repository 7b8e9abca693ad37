"""A photograph or scan opened safely: one upright picture in shades of grey."""

import mmap
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tasks.errors import InputError

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
MOST_PIXELS = 50_000_000  # a page of 21 × 30 cm at 600 dpi has 35 million
LONGEST_SIDE = 20_000
_MOST_SCANS = 100  # of a progressive JPEG, each over all its pixels; programs write about ten

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
        InputError: it is no such picture, is cut off or damaged, or is too large.
    """
    try:
        with warnings.catch_warnings():
            # Sizes are checked here, and other warnings, such as of odd EXIF data, do not keep a
            # picture from use.
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(path, formats=FORMATS) as picture:
                _check_size(path, picture)
                ImageOps.exif_transpose(picture, in_place=True)
                return _grey(picture)
    except InputError:
        raise  # a ValueError, but not one of Pillow's
    except Image.DecompressionBombError as error:
        raise _too_large(path, "hundreds of millions of pixels") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path}: no picture that can be read. Allowed are PNG, JPEG, BMP, TIFF and WEBP."
        ) from error
    except (*_DAMAGED, MemoryError) as error:
        raise InputError(
            f"{path}: the picture is cut off or damaged ({error}). Save it again."
        ) from error


def _check_size(path: Path, picture: Image.Image) -> None:
    """Refuse what takes too much time or memory, before anything is decoded."""
    width, height = picture.size
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise _too_large(path, f"{width:,} × {height:,} pixels")
    if picture.format in ("JPEG", "MPO") and _scans(path) > _MOST_SCANS:
        raise InputError(
            f"{path}: a JPEG of more than {_MOST_SCANS} scans. Save it again, not progressive."
        )


def _too_large(path: Path, found: str) -> InputError:
    return InputError(
        f"{path}: {found}. Allowed are {LONGEST_SIDE:,} pixels along each side and "
        f"{MOST_PIXELS:,} in all. Cut the picture to its digits, or scale it down."
    )


def _scans(path: Path) -> int:
    """Return how many scans a JPEG may have, counted up to one more than are allowed."""
    found, place = 0, -1
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while found <= _MOST_SCANS and (place := content.find(b"\xff\xda", place + 1)) >= 0:
            found += 1
    return found


def _grey(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith(("I", "F")):
        return _stretched(np.array(picture, dtype=np.float32))
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"))
    both = picture.convert("LA")
    shade, opacity = both.getchannel("L"), both.getchannel("A")
    opaque = np.asarray(opacity)
    total = np.einsum("ij,ij->", np.asarray(shade), opaque, dtype=np.int64)
    ink = total / max(opaque.sum(dtype=np.int64), 255)  # the average shade of what is opaque
    paper = Image.new("L", both.size, 255 if ink < 128 else 0)
    return np.asarray(Image.composite(shade, paper, opacity))


def _stretched(shade: np.ndarray) -> np.ndarray:
    """Return shades of any range, such as those of 16 bits, as 0 … 255; overwrites them."""
    np.nan_to_num(shade, copy=False, posinf=0.0, neginf=0.0)
    shade -= shade.min()
    shade *= 255 / max(float(shade.max()), 1e-9)
    return shade.round(out=shade).astype(np.uint8)
