"""`python -m benchmarks.transfer`: five digits learnt from 20 images each.

A network learns the digits 0 to 4 of a training split. Then 20 images of each of 5 to 9 are learnt
twice with the same settings: from random weights, and from that network's first layers. Both are
tested on all images of 5 to 9 in the test split. A seed decides the split and all weights.
"""

from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from network.model import predict
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.network_inputs import labels_of, scaled_images
from tasks.digits.table import Digits, read_digits
from tasks.shuffle_split import split_rows
from tasks.training.ensemble import member_rng
from tasks.training.first_weights import Pretrained
from tasks.training.fit import fit
from tasks.training.settings import TrainingSettings

LEARNT, NEW = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
IMAGES = 20  # of each new digit
BASE = TrainingSettings(
    convolutions=(),
    hidden_layers=(500, 100),
    activation="sigmoid",
    initialization="glorot",
    learning_rate=0.2,
    distortion=2.0,
    epochs=200,
)
ON_FEW = {
    "as they are": {"learning_rate": 0.1, "epochs": 100, "distortion": 0.0},
    "distorted in every epoch": {"learning_rate": 0.2, "epochs": 300, "distortion": 1.5},
}


class Outcome(NamedTuple):
    """Shares of the test images of 5 to 9 that were recognised."""

    scratch: float
    transferred: float
    frozen: float  # transferred with the first layer frozen


def main() -> None:
    """Print a Markdown table: each seed's accuracies, and their means."""
    digits = shipped_digits()
    print("| the 100 images | seed | from scratch | transferred | first layer frozen |")
    print("|---|---|---|---|---|")
    for words, changed in ON_FEW.items():
        on_few = BASE.model_copy(update=changed)
        outcomes = [transfer(digits, seed, on_few) for seed in range(5)]
        for seed, outcome in enumerate(outcomes):
            print(line(words, str(seed), outcome), flush=True)
        print(line(words, "mean", Outcome(*map(mean, zip(*outcomes, strict=True)))), flush=True)


def shipped_digits() -> Digits:
    """Return the digits of `data/digits.csv`."""
    with TemporaryDirectory() as folder:
        parquet = Path(folder) / "digits.parquet"
        csv_to_parquet(Path("data/digits.csv"), parquet, CsvFormat())
        return read_digits(parquet)


def transfer(
    digits: Digits, seed: int, on_few: TrainingSettings, on_many: TrainingSettings = BASE
) -> Outcome:
    """Learn five digits from 20 images each in three ways; see the module.

    Args:
        digits: all there are.
        seed: decides the split, and the weights and distortions of each training.
        on_few: how the 100 images are learnt.
        on_many: how the first network is trained.
    """
    train, test = split_rows(digits.labels, 0.8, False, np.random.default_rng([seed, 0]))
    few = np.concatenate([train[digits.labels[train] == label][:IMAGES] for label in NEW])
    base, _ = fit(_part(digits, train, LEARNT), on_many, member_rng(seed), _silent)
    pretrained = Pretrained(base, new_outputs=True)

    def accuracy(training: TrainingSettings, start: Pretrained | None) -> float:
        new = _part(digits, few, NEW)
        weights, _ = fit(new, training, member_rng(seed), _silent, pretrained=start)
        tested = _part(digits, test, NEW)
        images = scaled_images(tested, training.dtype)
        predicted = labels_of(predict(weights, images, training.activation), NEW)
        return float((predicted == tested.labels).mean())

    frozen = on_few.model_copy(update={"freeze_layers": 1})
    return Outcome(
        accuracy(on_few, None), accuracy(on_few, pretrained), accuracy(frozen, pretrained)
    )


def line(words: str, seed: str, outcome: Outcome) -> str:
    """Return a line of the table."""
    return f"| {words} | {seed} | {' | '.join(f'{share:.1%}' for share in outcome)} |"


def _part(digits: Digits, rows: np.ndarray, classes: tuple[int, ...]) -> Digits:
    rows = rows[np.isin(digits.labels[rows], classes)]
    return replace(digits, pixels=digits.pixels[rows], labels=digits.labels[rows], classes=classes)


def _silent(epoch: int, cost: float) -> None:
    pass


if __name__ == "__main__":
    main()
