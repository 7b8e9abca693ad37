"""What kind of file the user gave, by its first bytes, whatever it is called."""

from pathlib import Path
from typing import Literal

from tasks.errors import InputError

Kind = Literal["csv", "parquet", "picture"]

_PICTURE_NAMES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PARQUET = b"PAR1"
_OTHERS = {  # what people take for a picture that can be read
    b"GIF8": "GIF",
    b"%PDF": "PDF",
    b"8BPS": "Photoshop",
}


def kind_of(path: Path) -> Kind:
    """Return a file's kind by its magic bytes; what has none is for the reader of CSV to check.

    Raises:
        InputError: it is missing, a folder, or of a kind that can't be read.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise InputError(
            f"{path}: no regular file. Name a CSV, a Parquet file or a picture; what comes through "
            "a pipe must be saved first."
        )
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(
            f"{path}: can't be read: {error.strerror}. Name a CSV, a Parquet file or a picture."
        ) from error
    if start.startswith(_PARQUET):
        return "parquet"
    is_webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    is_bmp = start[:2] == b"BM" and start[6:10] == bytes(4)  # reserved; a CSV has text there
    if start.startswith(_PICTURES) or is_webp or is_bmp:
        return "picture"
    other = next((name for magic, name in _OTHERS.items() if start.startswith(magic)), None)
    if start[4:8] == b"ftyp":
        other = "HEIC or AVIF"
    if other is not None:
        raise InputError(
            f"{path}: a file of kind {other}. Save it as PNG, JPEG, BMP, TIFF or WEBP."
        )
    if path.suffix.lower() in _PICTURE_NAMES:
        raise InputError(
            f"{path}: named {path.suffix} but no picture. Allowed are PNG, JPEG, BMP, TIFF and "
            "WEBP, and CSV and Parquet files of pixels."
        )
    if path.suffix.lower() == ".parquet":
        raise InputError(f"{path}: named .parquet but no Parquet file. Fetch or write it again.")
    return "csv"
