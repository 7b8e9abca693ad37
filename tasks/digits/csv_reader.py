"""Images out of a CSV: streamed some lines at a time, every cell checked, written whole or not."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.digits.batch import Batch, as_labels, in_range, refuse_faint, row_by_row
from tasks.digits.classes import class_counts, in_words
from tasks.digits.csv_cells import cells_of
from tasks.digits.csv_faults import first_fault
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_layout import CsvLayout, find_layout
from tasks.digits.csv_text import CsvText, Lines, open_csv
from tasks.digits.read_ahead import read_ahead
from tasks.digits.table_writer import digit_writer
from tasks.errors import DataError

_AHEAD = 8  # blocks of lines; as many as arrive while a group of rows is written


@dataclass(frozen=True)
class CsvSummary:
    """What a whole CSV held.

    Attributes:
        rows: how many images.
        image_side: height and width of an image, in pixels.
        pixel_type: NumPy type in which the pixels are kept, such as uint8.
        class_counts: how many of each class, in the order of their labels.
    """

    rows: int
    image_side: int
    pixel_type: str
    class_counts: tuple[int, ...]


def csv_to_parquet(
    csv: Path, parquet: Path, csv_format: CsvFormat, sha256: str | None = None
) -> CsvSummary:
    """Write a CSV's images as Parquet, in the narrowest type that holds every pixel exactly.

    Bytes are tried first. Where they do not fit, one pass finds the type and another writes.

    Args:
        csv: the file, plain or gzip.
        parquet: where to write.
        csv_format: what the user says about the CSV.
        sha256: the digest that the CSV's bytes must have, if that is known.

    Raises:
        DataError: a line breaks a rule, a class is missing altogether, or the CSV changed; nothing
            is written.
    """
    try:
        return _write(csv, parquet, csv_format, "uint8", sha256)
    except _NotBytesError:
        pixel_type = _narrowest_type(csv, csv_format, sha256)
        return _write(csv, parquet, csv_format, pixel_type, sha256)


def read_images(csv: Path, csv_format: CsvFormat, image_side: int) -> Generator[Batch]:
    """Yield a CSV's images for a network that knows images of one size, labels or none.

    Raises:
        DataError: a line breaks a rule, or the images have another size.
    """
    darkest = -np.inf
    with _opened(csv, csv_format, known_side=image_side) as (_, batches):
        for batch in batches:
            yield batch
            darkest = max(darkest, float(batch.pixels.max()))
    refuse_faint(csv, darkest, csv_format.pixel_max)


class _NotBytesError(Exception):
    """A pixel is no whole number from 0 to 255."""


@contextmanager
def _opened(
    csv: Path, csv_format: CsvFormat, known_side: int | None = None, sha256: str | None = None
) -> Iterator[tuple[CsvLayout, Generator[Batch]]]:
    """Yield a CSV's layout and its rows; one thread reads ahead, one turns text into numbers."""
    with open_csv(csv, sha256) as text:
        layout = find_layout(text, csv_format, known_side)
        with closing(read_ahead(_batches(text, layout, csv_format), _AHEAD)) as batches:
            yield layout, batches


def _batches(text: CsvText, layout: CsvLayout, csv_format: CsvFormat) -> Generator[Batch]:
    """Yield the rows that are left of a CSV in order, each cell checked."""
    with closing(read_ahead(text.blocks(), _AHEAD)) as blocks:
        for lines in blocks:
            batch = _checked(lines, layout, csv_format)
            if batch is None:
                raise first_fault(lines, layout, csv_format)
            if len(batch.pixels):
                yield batch
    text.check_digest()


def _checked(lines: Lines, layout: CsvLayout, csv_format: CsvFormat) -> Batch | None:
    """Return lines as pixels and labels; None if something is wrong with them."""
    cells = cells_of(lines.text, layout.columns)
    if cells is None:
        return None
    if (label := layout.label) is None:
        pixels, labels = cells, None
    else:
        labels, wrong = as_labels(cells[:, label], csv_format)
        if wrong.any():
            return None
        last, first = label == layout.columns - 1, label == 0
        pixels = cells[:, :-1] if last else cells[:, 1:] if first else np.delete(cells, label, 1)
    if not in_range(pixels, csv_format.pixel_max).all():
        return None
    return Batch(row_by_row(pixels, csv_format), labels)


def _write(
    csv: Path, parquet: Path, csv_format: CsvFormat, pixel_type: str, sha256: str | None
) -> CsvSummary:
    classes = csv_format.classes
    darkest, counts = -np.inf, np.zeros(len(classes), np.int64)
    made_by = csv_format.model_dump()
    with (
        _opened(csv, csv_format, sha256=sha256) as (layout, batches),
        digit_writer(parquet, pixel_type, layout.image_side, made_by) as append,
    ):
        for batch in batches:
            assert batch.labels is not None  # only a known image side lets it be missing
            if pixel_type == "uint8" and not _are_bytes(batch.pixels):
                raise _NotBytesError
            append(batch.pixels, batch.labels)
            darkest = max(darkest, float(batch.pixels.max()))
            counts += class_counts(batch.labels, classes)
        refuse_faint(csv, darkest, csv_format.pixel_max)
        _check_classes(csv, csv_format, counts)
    rows = int(counts.sum())
    return CsvSummary(rows, layout.image_side, pixel_type, tuple(counts.tolist()))


def _are_bytes(pixels: np.ndarray) -> bool:
    if pixels.dtype == np.uint8:
        return True
    return bool(((pixels == np.floor(pixels)) & (pixels >= 0) & (pixels <= 255)).all())


def _narrowest_type(csv: Path, csv_format: CsvFormat, sha256: str | None) -> str:
    whole = single = True
    least, most = np.inf, -np.inf
    with _opened(csv, csv_format, sha256=sha256) as (_, batches):
        for batch in batches:
            whole = whole and bool((batch.pixels == np.floor(batch.pixels)).all())
            single = single and bool((batch.pixels == batch.pixels.astype(np.float32)).all())
            least, most = min(least, batch.pixels.min()), max(most, batch.pixels.max())
    if whole:
        for name in ("uint8", "int16", "uint16", "int32"):
            if np.iinfo(name).min <= least and most <= np.iinfo(name).max:
                return name
    return "float32" if single else "float64"


def _check_classes(csv: Path, csv_format: CsvFormat, counts: np.ndarray) -> None:
    classes = csv_format.classes
    missing = [str(label) for label, count in zip(classes, counts, strict=True) if not count]
    if missing:
        raise DataError(
            f"{csv}: no image is labelled {', '.join(missing)}; each label of {in_words(classes)} "
            "needs at least one. If there are other labels, name them in `classes`; if they are in "
            "another column, set `label_column`; if 10 means 0, set `label_ten_is_zero`."
        )
