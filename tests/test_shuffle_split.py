"""The split: sizes to the row, every row once, a seed's order, shares of each digit."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples.digits import write_digits

from tasks.cache.store import Store
from tasks.digits.shuffle import in_order
from tasks.digits.table import Digits
from tasks.errors import DataError
from tasks.shuffle_split import SplitSettings, shuffle_split, split_rows

PROJECT = Path(__file__).resolve().parents[1]

LABELS = np.repeat(np.arange(10), 500)


@pytest.mark.parametrize("stratify", [False, True])
def test_five_thousand_rows_split_into_four_and_one_thousand(stratify: bool) -> None:
    """At 0.8 exactly 4,000 rows train and 1,000 test, and every row is in one part, once."""
    train, test = split_rows(LABELS, 0.8, stratify, np.random.default_rng(0))
    assert (len(train), len(test)) == (4000, 1000)
    assert sorted([*train, *test]) == list(range(5000))


def test_stratified_split_keeps_each_digits_share() -> None:
    """Stratified, every digit has 400 of its 500 images in the training part."""
    train, _ = split_rows(LABELS, 0.8, True, np.random.default_rng(0))
    assert np.bincount(LABELS[train]).tolist() == [400] * 10


@pytest.mark.parametrize("stratify", [False, True])
def test_both_parts_are_shuffled(stratify: bool) -> None:
    """Neither part keeps the file's order, where each digit's images may lie together."""
    for part in split_rows(LABELS, 0.8, stratify, np.random.default_rng(0)):
        assert (np.diff(LABELS[part]) < 0).any()


def test_stratified_rounding_never_costs_a_row() -> None:
    """With awkward counts the whole is still the nearest to the fraction asked for."""
    labels = np.repeat(np.arange(10), [3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    train, test = split_rows(labels, 0.7, True, np.random.default_rng(1))
    assert len(train) == round(39 * 0.7)
    assert len(train) + len(test) == 39


def test_the_seed_decides_the_order() -> None:
    """The same seed gives the same rows, another seed others."""
    first, again, other = (
        split_rows(LABELS, 0.8, False, np.random.default_rng(seed))[0] for seed in (5, 5, 6)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_too_few_rows_are_refused_with_a_remedy() -> None:
    """A part without rows is an error that names the count, the fraction and the option."""
    with pytest.raises(DataError, match=r"2 rows .* `train_fraction` 0\.9: .*would be empty"):
        split_rows(np.array([1, 2]), 0.9, False, np.random.default_rng(0))


@pytest.mark.parametrize("bucket", [1, 36, 100, 1 << 20])
def test_rows_are_put_in_order_by_way_of_the_disk(
    bucket: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few rows fit in memory, the order is the one asked for."""
    monkeypatch.setattr("tasks.digits.shuffle._BUCKET", bucket)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 1000, (101, 9)).astype(np.int16)
    order = rng.permutation(101)
    batches = np.array_split(rows, [1, 1, 40, 97])
    found = list(in_order(batches, np.dtype((np.int16, 9)), order, tmp_path / "rows"))
    assert (np.concatenate(found) == rows[order]).all()


@pytest.mark.parametrize("stratify", [False, True])
def test_the_parts_are_the_rows_of_the_split(
    stratify: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both files hold what picking the rows from a table in memory gives, to the byte."""
    monkeypatch.setattr("tasks.digits.shuffle._BUCKET", 10_000)
    store = Store(folder=tmp_path)
    store.prepare()
    rng = np.random.default_rng(3)
    pixels = rng.random((1000, 9)).astype(np.float32)
    whole = Digits(pixels, np.arange(1000) % 10, 3, 1.0)
    write_digits(whole, tmp_path / "digits.parquet")
    stored = store.keep(tmp_path / "digits.parquet")
    settings = SplitSettings(train_fraction=0.7, stratify=stratify)
    split = shuffle_split.function(store, stored, settings, 5)
    parts = split_rows(whole.labels, 0.7, stratify, np.random.default_rng([5, 0]))
    for rows, part in zip(parts, (split.train, split.test), strict=True):
        picked = replace(whole, pixels=pixels[rows], labels=whole.labels[rows])
        write_digits(picked, tmp_path / "picked.parquet")
        assert store.path(part).read_bytes() == (tmp_path / "picked.parquet").read_bytes()
    assert (split.train_rows, split.test_rows) == (700, 300)


PEAK = """
import sys
from pathlib import Path
from tasks.cache.store import SourceFile, Store
from tasks.digits import shuffle
from tasks.digits.csv_format import CsvFormat
from tasks.ingest import ingest
from tasks.shuffle_split import SplitSettings, shuffle_split
shuffle._BUCKET = 1 << 20
store = Store(folder=Path(sys.argv[2]))
store.prepare()
ingested = ingest.function(store, SourceFile.of(Path(sys.argv[1])), CsvFormat())
shuffle_split.function(store, ingested.digits, SplitSettings(), 0)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """From the CSV to the split, 50,000 images more take less memory than they have bytes."""
    pixels = np.random.default_rng(0).integers(0, 256, (50, 400))
    table = np.column_stack([pixels, np.arange(50) % 10])
    block = "".join(",".join(map(str, row)) + "\n" for row in table)
    peaks = []
    for copies in (400, 1400):
        with (tmp_path / "many.csv").open("w") as file:
            file.writelines([block] * copies)
        words = [sys.executable, "-c", PEAK, str(tmp_path / "many.csv"), str(tmp_path / "store")]
        done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) * 1024)
    assert peaks[1] - peaks[0] < 50_000 * 400
