"""Every form of CSV that is accepted; what is refused is in test_digit_csv_faults."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet, read_images
from tasks.digits.table import Digits, read_digits
from tasks.errors import DataError

LABELS = np.arange(30) % 10


def drawn(side: int) -> np.ndarray:
    """Return (30, side · side) pixels, 0 to 255."""
    return np.random.default_rng(side).integers(0, 256, (30, side * side))


PIXELS = drawn(8)


def lines(pixels: np.ndarray = PIXELS, labels: np.ndarray = LABELS, at: int = 64) -> list[str]:
    """Return the digits as lines of a CSV, with the label in column `at`."""
    return [",".join(map(str, row)) for row in np.insert(pixels.astype(object), at, labels, axis=1)]


def ingested(folder: Path, content: str | bytes, name: str = "d.csv", **settings: object) -> Digits:
    """Write a file, ingest it, and read what was written."""
    csv = folder / name
    csv.write_bytes(content.encode() if isinstance(content, str) else content)
    csv_to_parquet(csv, folder / "d.parquet", CsvFormat.model_validate(settings))
    return read_digits(folder / "d.parquet")


def images(csv: Path, csv_format: CsvFormat) -> tuple[np.ndarray, np.ndarray | None]:
    """Return all 8 × 8 images of a file to predict, and their labels if there are any."""
    batches = list(read_images(csv, csv_format, 8))
    labels = [batch.labels for batch in batches if batch.labels is not None]
    assert len(labels) in (0, len(batches))
    pixels = np.concatenate([batch.pixels for batch in batches])
    return pixels, np.concatenate(labels) if labels else None


TEXT = "\n".join(lines()) + "\n"
NAMES = [f"pixel{number}" for number in range(64)]
LABEL_LAST = ",".join([*NAMES, "label"]) + "\n"
LABEL_FIRST = ",".join(["label", *NAMES]) + "\n" + "\n".join(lines(at=0))
BY_NAME = ",".join([*NAMES[:5], "digit", *NAMES[5:]]) + "\n" + "\n".join(lines(at=5))


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        pytest.param(TEXT, {}, id="plain"),
        pytest.param(TEXT.rstrip(), {}, id="no newline at the end"),
        pytest.param(TEXT + "\n\n\r\n", {}, id="blank lines at the end"),
        pytest.param("\n\n" + TEXT, {}, id="blank lines at the beginning"),
        pytest.param("\n\n" + LABEL_LAST + "\n" + TEXT, {}, id="blank lines round the header"),
        pytest.param(TEXT.replace("\n", "\n\n"), {}, id="blank lines between"),
        pytest.param(TEXT.replace("\n", "\r\n"), {}, id="CRLF"),
        pytest.param("\ufeff" + TEXT, {}, id="BOM"),
        pytest.param("\ufeff" + LABEL_LAST + TEXT, {}, id="BOM and header"),
        pytest.param("\ufeff\n" + TEXT, {}, id="BOM and blank line"),
        pytest.param(LABEL_LAST + TEXT, {}, id="header"),
        pytest.param(LABEL_LAST.replace("\n", "\r\n") + TEXT, {}, id="header with CRLF"),
        pytest.param(LABEL_LAST.replace("pixel", "") + TEXT, {}, id="header counts from 0"),
        pytest.param('"' + LABEL_LAST.strip().replace(",", '","') + '"\n' + TEXT, {}, id="quoted"),
        pytest.param(
            "\n".join('"' + line.replace(",", '","') + '"' for line in lines()),
            {},
            id="quoted numbers",
        ),
        pytest.param(TEXT.replace(",", " ,\t"), {}, id="blanks round numbers"),
        pytest.param(
            "\n".join(lines(at=0)), {"label_column": "first"}, id="label first, no header"
        ),
        pytest.param(LABEL_FIRST, {"label_column": "first"}, id="label first"),
        pytest.param(LABEL_FIRST, {"label_column": "label"}, id="label first, by name"),
        pytest.param(BY_NAME, {"label_column": "digit"}, id="label in the middle, by name"),
        pytest.param("\n".join(lines(labels=LABELS * 1.0)), {}, id="labels as floats"),
        pytest.param("\n".join(lines(pixels=PIXELS * 1.0)), {}, id="whole pixels as floats"),
        pytest.param(gzip.compress(TEXT.encode()), {}, id="gzip known by its content"),
        pytest.param(gzip.compress(("\ufeff" + LABEL_LAST + TEXT).encode()), {}, id="gzip, BOM"),
    ],
)
def test_same_digits_whatever_the_form(
    tmp_path: Path, content: str | bytes, settings: dict[str, object]
) -> None:
    """Each form of the same digits gives the same pixels and labels, as bytes."""
    digits = ingested(tmp_path, content, **settings)
    assert digits.pixels.dtype == np.uint8
    assert (digits.pixels == PIXELS).all()
    assert digits.labels.dtype == np.int8
    assert (digits.labels == LABELS).all()
    assert digits.image_side == 8


@pytest.mark.parametrize("side", [8, 20, 28])
def test_the_side_follows_from_the_columns(tmp_path: Path, side: int) -> None:
    """Square images of any size are read without their size being given."""
    pixels = drawn(side)
    digits = ingested(tmp_path, "\n".join(lines(pixels, at=side * side)))
    assert digits.image_side == side
    assert (digits.pixels == pixels).all()


def test_floats_that_overshoot_are_kept_as_they_are(tmp_path: Path) -> None:
    """Resampled images reach from −0.13 to 1.13 of pixel_max; nothing is clipped or rounded."""
    pixels = np.random.default_rng(0).uniform(-0.13, 1.13, (30, 64))
    digits = ingested(tmp_path, "\n".join(lines(pixels)), pixel_max=1)
    assert digits.pixels.dtype == np.float64
    assert (digits.pixels == pixels).all()
    assert digits.pixel_max == 1


@pytest.mark.parametrize(
    ("pixel", "pixel_max", "expected"),
    [
        ("255", 255, "uint8"),
        ("256", 255, "int16"),
        ("-1", 255, "int16"),
        ("65535", 65535, "uint16"),
        ("100000", 100000, "int32"),
        ("-40000", 100000, "int32"),
        ("3000000000", 3e9, "float32"),
        ("0.5", 255, "float32"),
        ("0.1", 255, "float64"),
    ],
)
def test_the_narrowest_exact_type(
    tmp_path: Path, pixel: str, pixel_max: float, expected: str
) -> None:
    """One pixel decides the type, and is stored exactly."""
    changed = lines()
    changed[7] = ",".join([pixel, *changed[7].split(",")[1:]])
    digits = ingested(tmp_path, "\n".join(changed), pixel_max=pixel_max)
    assert digits.pixels.dtype == expected
    assert digits.pixels[7, 0] == float(pixel)


def test_column_order_transposes_each_image(tmp_path: Path) -> None:
    """Pixels written column by column, as some published sets have them, end up upright."""
    digits = ingested(tmp_path, TEXT, pixel_order="column")
    assert (digits.pixels.reshape(-1, 8, 8) == PIXELS.reshape(-1, 8, 8).swapaxes(1, 2)).all()


def test_label_ten_is_zero_where_set(tmp_path: Path) -> None:
    """Label 10, which 1-based tools write for the digit 0, is read as 0, and 0 stays 0."""
    tens = np.where(np.arange(30) == 10, 10, LABELS)
    digits = ingested(tmp_path, "\n".join(lines(labels=tens)), label_ten_is_zero=True)
    assert (digits.labels == LABELS).all()


def test_pandas_reads_the_same_numbers(tmp_path: Path) -> None:
    """An independent reader finds the same values in the CSV, floats to the last bit."""
    pixels = np.random.default_rng(1).normal(100, 40, (30, 64))
    digits = ingested(tmp_path, LABEL_LAST + "\n".join(lines(pixels)))
    expected = pd.read_csv(tmp_path / "d.csv")
    assert (digits.pixels == expected[NAMES].to_numpy()).all()
    assert (digits.labels == expected["label"].to_numpy()).all()


def test_pandas_opens_the_parquet(tmp_path: Path) -> None:
    """Anyone's pandas reads the table: an image in each row and its label."""
    ingested(tmp_path, TEXT)
    table = pd.read_parquet(tmp_path / "d.parquet")
    assert table.columns.tolist() == ["pixels", "label"]
    assert (np.stack(table["pixels"].tolist()).reshape(-1, 64) == PIXELS).all()
    assert table["label"].tolist() == LABELS.tolist()


def test_the_schema_says_shape_and_making(tmp_path: Path) -> None:
    """The images are tensors, and the settings that made them are in the metadata."""
    settings: dict[str, object] = {"label_column": "last", "pixel_max": 200, "pixel_order": "row"}
    ingested(tmp_path, TEXT, **settings)
    schema = pq.read_schema(tmp_path / "d.parquet")
    assert schema.field("pixels").type == pa.fixed_shape_tensor(pa.uint8(), (8, 8))
    assert schema.field("label").type == pa.int8()
    assert json.loads(schema.metadata[b"digits"]) == {
        **settings,
        "classes": list(range(10)),
        "label_ten_is_zero": False,
        "image_side": 8,
    }


def test_equal_digits_give_equal_bytes(tmp_path: Path) -> None:
    """Plain or gzip, with a header or none, named one way or another: the same Parquet file."""
    forms = {
        "a.csv": TEXT.encode(),
        "b.csv.gz": gzip.compress(TEXT.encode()),
        "c.csv": (LABEL_LAST + TEXT).replace("\n", "\r\n").encode(),
    }
    files = set()
    for name, content in forms.items():
        ingested(tmp_path, content, name)
        files.add((tmp_path / "d.parquet").read_bytes())
    assert len(files) == 1


def test_a_file_of_many_blocks_keeps_every_row_in_order(tmp_path: Path) -> None:
    """Rows survive the seams between the blocks that are read and the groups that are written."""
    rows = 30_000
    pixels = np.zeros((rows, 64), int)
    pixels[:, 0], pixels[:, 1], pixels[:, 2] = np.arange(rows) // 200, np.arange(rows) % 200, 255
    content = "\n".join(lines(pixels * 1000, np.arange(rows) % 10))
    assert len(content) > 4 << 20  # several blocks of 1 MiB
    digits = ingested(tmp_path, content, pixel_max=255_000)
    assert (digits.pixels == pixels * 1000).all()
    assert (digits.labels == np.arange(rows) % 10).all()


def test_images_to_predict_come_with_or_without_labels(tmp_path: Path) -> None:
    """A network that knows its image side reads 64 columns as bare pixels and 65 as labelled."""
    bare, labelled = tmp_path / "bare.csv", tmp_path / "labelled.csv"
    bare.write_text("\n".join(",".join(map(str, row)) for row in PIXELS))
    labelled.write_text(TEXT)
    pixels, none = images(bare, CsvFormat())
    assert (pixels == PIXELS).all()
    assert none is None
    pixels, labels = images(labelled, CsvFormat())
    assert (pixels == PIXELS).all()
    assert labels is not None
    assert (labels == LABELS).all()


def test_one_image_to_predict_is_enough(tmp_path: Path) -> None:
    """Digits to predict need not hold every class, whatever the label's column is elsewhere."""
    csv = tmp_path / "one.csv"
    csv.write_text(",".join(NAMES) + "\n" + ",".join(map(str, PIXELS[0])))
    (batch,) = read_images(csv, CsvFormat(label_column="label"), 8)
    assert (batch.pixels == PIXELS[:1]).all()


def test_images_to_predict_are_turned_like_those_learnt(tmp_path: Path) -> None:
    """The pixel order counts for images without labels too."""
    csv = tmp_path / "bare.csv"
    csv.write_text("\n".join(",".join(map(str, row)) for row in PIXELS))
    pixels, _ = images(csv, CsvFormat(pixel_order="column"))
    assert (pixels == PIXELS.reshape(-1, 8, 8).swapaxes(1, 2).reshape(-1, 64)).all()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (65, "images of 8 × 8 pixels, but the network reads 20 × 20"),
        (500, "500 columns, but the network reads 20 × 20"),
    ],
)
def test_images_of_another_size_are_refused(tmp_path: Path, columns: int, words: str) -> None:
    """A wrong size is an error that names both sizes and how many columns are needed."""
    csv = tmp_path / "other.csv"
    csv.write_text(",".join(["7"] * columns))
    with pytest.raises(DataError) as error:
        list(read_images(csv, CsvFormat(), 20))
    assert str(error.value).startswith(f"{csv}: line 1: {words}")
    assert "Give 400 columns of pixels, with or without a label." in str(error.value)
