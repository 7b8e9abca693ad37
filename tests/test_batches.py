"""Evaluation, judgement and verification hold some rows at a time, however many there are."""

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples.digits import imagined_profile, write_digits
from examples.runs import plain_figures, write_network

from network.initialization import initial_weights
from tasks.cache.store import Store, StoredFile, sha256_of
from tasks.champion.comparison import compare_with_champion
from tasks.champion.data_watch import watch_data
from tasks.digits import table
from tasks.digits.table import Digits
from tasks.evaluate import Evaluated, evaluate
from tasks.runs.manifest import Manifest, StageAccount
from tasks.runs.model import MODEL, WEIGHTS
from tasks.runs.reevaluate import reevaluate
from tasks.shuffle_split import Split
from tasks.train import Trained

ROWS, SIDE = 4000, 20
LIMIT = ROWS * SIDE**2 // 2  # half of a split as bytes; as floats it is eight times as much


@dataclass
class Example:
    """A champion, and splits of random images in groups of 200 rows."""

    store: Store
    split: Split
    trained: Trained
    champion: Path

    def evaluate(self) -> Evaluated:
        """Evaluate the network."""
        return evaluate.function(
            self.store, self.trained, self.split, l2=1.0, distortion=0.5, average_shifts=True
        )

    def compare(self) -> float:
        """Compare the champion with one who says that all digits are 0."""
        test, zeros = self.store.path(self.split.test), np.zeros(ROWS, np.int8)
        return compare_with_champion(self.store.folder, "champion", test, zeros).accuracy

    def watch(self) -> int:
        """Count the images that are in both splits."""
        parts = (self.store.path(part) for part in (self.split.train, self.split.test))
        return watch_data(
            self.store.folder, None, imagined_profile(duplicates=1), *parts
        ).test_images_in_training

    def reevaluate(self) -> float | None:
        """Evaluate the champion again."""
        account = StageAccount.model_construct(
            outputs={self.split.test.name: self.split.test.sha256},
            settings={"training.activation": "relu"},
        )
        manifest = Manifest.model_construct(
            files={name: sha256_of(self.champion / name) for name in (WEIGHTS, MODEL)},
            stages=dict.fromkeys(("shuffle_split", "train", "evaluate"), account),
        )
        again = reevaluate(self.champion, manifest, self.store)
        assert again.differences == []
        return again.accuracy


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    """Write a network and splits of random images; their one image in both splits is the first."""
    monkeypatch.setattr(table, "ROWS_A_GROUP", 200)
    plain_figures(monkeypatch)
    store = Store(folder=tmp_path)
    store.prepare()
    rng = np.random.default_rng(0)
    champion = tmp_path / "runs" / "champion"
    champion.mkdir()
    write_network(champion, initial_weights((SIDE**2, 10, 10), rng, initialization="he"))
    (champion / "manifest.json").write_text("{}")

    def kept(name: str, write: Callable[[Path], object]) -> StoredFile:
        with store.scratch() as scratch:
            write(scratch / name)
            return store.keep(scratch / name)

    same = rng.integers(0, 256, SIDE**2).astype(np.uint8)
    splits = {}
    for part in ("train", "test"):
        pixels = rng.integers(0, 256, (ROWS, SIDE**2)).astype(np.uint8)
        pixels[0] = same
        digits = Digits(pixels, rng.integers(0, 10, ROWS).astype(np.int8), SIDE, 255.0)
        splits[part] = kept(
            f"{part}.parquet", lambda path, digits=digits: write_digits(digits, path)
        )
    weights = (champion / WEIGHTS).read_bytes()
    history = pd.DataFrame({"epoch": [1], "cost": [3.0]})
    return Example(
        store,
        Split(**splits, train_rows=ROWS, test_rows=ROWS),
        Trained(
            weights=kept("weights.pkl", lambda path: path.write_bytes(weights)),
            history=kept("history.parquet", history.to_parquet),
            activation="relu",
        ),
        champion,
    )


@pytest.mark.parametrize(
    "work", [Example.evaluate, Example.compare, Example.watch, Example.reevaluate]
)
def test_memory_is_that_of_a_batch(example: Example, work: Callable[[Example], object]) -> None:
    """No split is ever held whole, neither as floats nor as bytes."""
    expected = work(example)  # imports, once a process, are no part of it
    tracemalloc.start()
    try:
        assert work(example) == expected
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LIMIT
