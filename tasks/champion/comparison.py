"""The champion compared with a new network on the same test split.

The champion's own accuracy is that on another day's test split, so it is scored again. Where that
day's training split has some of today's test digits, those are left out: the champion knows them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.champion.trained_on import champion_trained_on
from tasks.digits.classes import DIGITS, class_counts, in_words
from tasks.digits.network_outputs import outcome_on
from tasks.digits.table import read_info
from tasks.errors import InputError
from tasks.runs.folders import complete_runs
from tasks.runs.model import load_model


class Comparison(BaseModel):
    """The champion compared with the challenger, on the same test split."""

    model_config = ConfigDict(frozen=True)

    run: str  # the champion's
    left_out: int = 0  # test digits, because the champion was trained on them
    accuracy: float  # the champion's
    challenger_accuracy: float
    wrong_to_right: int  # test digits that only the challenger recognises
    right_to_wrong: int  # test digits that only the champion recognises
    p_value: float  # McNemar's, exact and two-sided
    classes: tuple[int, ...] = DIGITS  # the labels there are, ascending
    recall_drops: tuple[float, ...]  # of each class, the champion's recall less the challenger's


def compare_with_champion(
    artifacts: Path, champion: str, test: Path, predictions: np.ndarray
) -> Comparison:
    """Score the champion on a test split, and compare it with a challenger's predictions.

    If the champion was trained on all of its digits, none is left out.

    Args:
        artifacts: the artifacts folder.
        champion: the run in use.
        test: the test split, a Parquet file.
        predictions: (rows,) the challenger's label for each test digit.

    Raises:
        InputError: the champion was deleted, is damaged, or has images of another size or other
            labels.
        WeightsError: its weights are not a list of weight matrices.
    """
    folder = artifacts / "runs" / champion
    if folder not in complete_runs(artifacts):
        raise InputError("it was deleted")
    model, info = load_model(folder), read_info(test)
    if model.image_side != info.image_side:
        raise InputError(
            f"its images have {model.image_side} × {model.image_side} pixels, and these have "
            f"{info.image_side} × {info.image_side}"
        )
    if model.classes != info.classes:
        raise InputError(
            f"it knows the labels {in_words(model.classes)}, and these are {in_words(info.classes)}"
        )
    outcome = outcome_on(test, model.weights, model.activation, model.shifts)
    labels = outcome.labels
    before, now = outcome.predictions == labels, predictions == labels
    known = champion_trained_on(artifacts, folder, test)
    if known is None or known.all():
        known = np.zeros(len(labels), bool)
    labels, before, now = labels[~known], before[~known], now[~known]
    recalls_before, recalls_now = (_recalls(labels, right, info.classes) for right in (before, now))
    wrong_to_right, right_to_wrong = int((now & ~before).sum()), int((before & ~now).sum())
    return Comparison(
        run=champion,
        left_out=int(known.sum()),
        accuracy=float(before.mean()),
        challenger_accuracy=float(now.mean()),
        wrong_to_right=wrong_to_right,
        right_to_wrong=right_to_wrong,
        p_value=mcnemar(wrong_to_right, right_to_wrong),
        classes=info.classes,
        recall_drops=(recalls_before - recalls_now).tolist(),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p-value of McNemar's test: are two networks equally good?

    Digits that both recognise, or neither does, say nothing. If both were equally good, each of the
    others would be a fair coin's toss; p is how likely such tosses are at least this uneven.

    Source: McNemar (1947), Note on the sampling error of the difference between correlated
    proportions or percentages; exact by the binomial distribution in place of its chi-squared.

    Args:
        only_first: digits that only the first recognises.
        only_second: digits that only the second recognises.
    """
    tosses = only_first + only_second
    ways = ways_so_far = 1  # of `tosses` coins, to fall heads 0 times; then at most k times
    for heads in range(min(only_first, only_second)):
        ways = ways * (tosses - heads) // (heads + 1)
        ways_so_far += ways
    # Whole numbers until here: a float can't hold 2 to the power of a few thousand coins.
    return min(1.0, 2 * ways_so_far / (1 << tosses))


def _recalls(labels: np.ndarray, right: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Return each class's share of right ones, 0 for one that does not occur."""
    shares: np.ndarray = class_counts(labels[right], classes)
    shares = shares / np.maximum(class_counts(labels, classes), 1)
    return shares
