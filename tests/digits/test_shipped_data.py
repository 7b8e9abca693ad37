"""The shipped digits are the ones their README describes."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.table import Digits, read_digits

DATA = Path(__file__).resolve().parents[2] / "data"
CSV = DATA / "digits.csv"
SHA256 = "57d42725c8988814fd17c415f92adaa2d9a6eff5164071feef2a2a0d40c3f121"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """Ingest digits.csv as `make train` does, with every option left alone."""
    parquet = tmp_path_factory.mktemp("shipped") / "digits.parquet"
    csv_to_parquet(CSV, parquet, CsvFormat())
    return read_digits(parquet)


def test_the_file_is_the_one_recorded() -> None:
    """Byte for byte, so that figures in the README stay those of this file."""
    assert hashlib.sha256(CSV.read_bytes()).hexdigest() == SHA256


def test_the_readme_states_the_same_facts() -> None:
    """A data file that is made again must be described again."""
    text = (DATA / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"`([0-9a-f]{64})`", text) == [SHA256]
    assert f"{CSV.stat().st_size:,}" in text


def test_five_thousand_rows_five_hundred_of_each(shipped: Digits) -> None:
    """No digit is rarer than another, and the labels lie in order."""
    assert shipped.labels.tolist() == np.repeat(np.arange(10), 500).tolist()


def test_images_are_twenty_by_twenty_bytes(shipped: Digits) -> None:
    """Pixels are whole numbers that use the range 0 … 255 to its ends."""
    assert shipped.pixels.shape == (5000, 400)
    assert shipped.pixels.dtype == np.uint8
    assert (shipped.pixels.min(), shipped.pixels.max()) == (0, 255)
    assert shipped.pixel_max == 255


def test_every_digit_is_centred(shipped: Digits) -> None:
    """The gaps round the ink differ by a pixel at most, the wider one below or to the right."""
    images = shipped.pixels.reshape(-1, 20, 20)
    for axis in (1, 2):
        ink = images.any(axis=axis)
        before, after = ink.argmax(axis=1), ink[:, ::-1].argmax(axis=1)
        assert set(after - before) <= {0, 1}


def test_images_stand_upright(shipped: Digits) -> None:
    """Pixels run along rows: a one is higher than it is wide, as transposed it would not be."""
    ones = shipped.pixels.reshape(-1, 20, 20)[shipped.labels == 1]
    heights, widths = ones.any(axis=2).sum(axis=1), ones.any(axis=1).sum(axis=1)
    assert heights.mean() > 2 * widths.mean()
