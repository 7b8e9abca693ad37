"""Whether a new network replaces the champion: it must recognise as many of today's test digits.

Champion and challenger are compared on the same current test split, because the champion's own
accuracy is that on another day's. `promotions` records the decision.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from network.weights import WeightsError
from tasks.champion.promotions import Promotions
from tasks.digits.classes import DIGITS, class_counts, image_noun, in_words, label_noun
from tasks.digits.network_outputs import outcome_on
from tasks.digits.table import read_info
from tasks.errors import InputError
from tasks.runs.folders import complete_runs
from tasks.runs.model import load_model
from tasks.runs.past_runs import PastRun

_NAMED = 5  # labels that a reason names, and one more where there is just one more
_ROUNDING = 1e-9  # shares are fractions of whole digits; one digit is far more than this


class PromotionSettings(BaseModel):
    """How much better than the champion a network must be to replace it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_gain: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Least gain",
        description="How much higher its accuracy must be, as a share of the test digits.",
    )
    max_recall_drop: float = Field(
        default=0.05,
        ge=0,
        le=1,
        title="Greatest recall drop",
        description="How far the recall of any one digit may fall; 1 allows anything.",
    )


class Comparison(BaseModel):
    """The champion compared with the challenger, on the same test split."""

    model_config = ConfigDict(frozen=True)

    run: str  # the champion's
    accuracy: float  # the champion's
    challenger_accuracy: float
    wrong_to_right: int  # test digits that only the challenger recognises
    right_to_wrong: int  # test digits that only the champion recognises
    p_value: float  # McNemar's, exact and two-sided
    classes: tuple[int, ...] = DIGITS  # the labels there are, ascending
    recall_drops: tuple[float, ...]  # of each class, the champion's recall less the challenger's


class Decision(BaseModel):
    """The verdict, and the reason for it, to follow the word because."""

    model_config = ConfigDict(frozen=True)

    verdict: Literal["promoted", "kept", "unchanged"]
    reason: str
    comparison: Comparison | None = None


def judge(
    artifacts: Path,
    promotions: Promotions,
    test: Path,
    predictions: np.ndarray,
    limits: PromotionSettings,
    *,
    nothing_new: bool,
) -> Decision:
    """Decide whether a challenger is promoted.

    A champion that can't be scored on these digits, because it is damaged or they have another size
    or other labels, is replaced by the challenger, and the reason says why.

    Args:
        artifacts: the artifacts folder.
        promotions: those so far.
        test: the test split, a Parquet file.
        predictions: (rows,) the challenger's label for each test digit.
        limits: how much better it must be.
        nothing_new: whether the same network was judged before.
    """
    if promotions.damage:
        return Decision(
            verdict="promoted",
            reason=f"the champion is not known: {promotions.damage}, and was put aside",
        )
    if promotions.champion is None:
        return Decision(verdict="promoted", reason="there was no champion to compare it with")
    try:
        comparison = compare_with_champion(artifacts, promotions.champion, test, predictions)
    except (InputError, WeightsError) as error:
        reason = f"the champion, {promotions.champion}, could not be compared ({error})"
        return Decision(verdict="promoted", reason=reason)
    if nothing_new:
        reason = "nothing was new: every stage came from the store"
        return Decision(verdict="unchanged", reason=reason, comparison=comparison)
    return decide(comparison, limits)


def compare_with_champion(
    artifacts: Path, champion: str, test: Path, predictions: np.ndarray
) -> Comparison:
    """Score the champion on a test split, and compare it with a challenger's predictions.

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
    outcome = outcome_on(test, model.weights, model.activation)
    before = outcome.predictions == outcome.labels
    now = predictions == outcome.labels
    recalls_before, recalls_now = (
        _recalls(outcome.labels, right, info.classes) for right in (before, now)
    )
    wrong_to_right, right_to_wrong = int((now & ~before).sum()), int((before & ~now).sum())
    return Comparison(
        run=champion,
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


def decide(comparison: Comparison, limits: PromotionSettings) -> Decision:
    """Promote a challenger that gains enough and loses no digit; keep the champion otherwise."""
    gain = comparison.challenger_accuracy - comparison.accuracy
    more = comparison.wrong_to_right - comparison.right_to_wrong
    gained = _gained(more, image_noun(comparison.classes))
    allowed = _points(limits.max_recall_drop)
    worse = [
        f"{_points(drop)} for the {label}s"
        for label, drop in zip(comparison.classes, comparison.recall_drops, strict=True)
        if drop > limits.max_recall_drop + _ROUNDING
    ]
    if (others := len(worse) - _NAMED) > 1:
        worse[_NAMED:] = [f"and too much for {others} other labels"]
    if gain < limits.min_gain - _ROUNDING:
        asked = f", and min_gain is {_points(limits.min_gain)}" if limits.min_gain else ""
        return Decision(verdict="kept", reason=gained + asked, comparison=comparison)
    if worse:
        falls = f"its recall falls by {', '.join(worse)}"
        reason = f"{gained}, but {falls}, and max_recall_drop is {allowed}"
        return Decision(verdict="kept", reason=reason, comparison=comparison)
    reason = (
        f"{gained}, and no {label_noun(comparison.classes)}'s recall falls by more than {allowed}"
    )
    return Decision(verdict="promoted", reason=reason, comparison=comparison)


def _gained(more: int, image: str) -> str:
    if more == 0:
        return f"this network recognises as many test {image}s"
    images = image if abs(more) == 1 else f"{image}s"
    return f"this network recognises {abs(more):,} {'more' if more > 0 else 'fewer'} test {images}"


def _points(share: float) -> str:
    points = f"{100 * share:.3g}"
    return f"{points} percentage {'point' if points == '1' else 'points'}"


def judged_before(runs: Iterable[PastRun], promotions: Promotions, evaluate_key: str) -> bool:
    """Return whether one of some runs was judged on the same network and test split.

    One that was killed between its manifest and its promotion was not.
    """
    promoted = {promotion.run for promotion in promotions.entries}
    return any(
        run.evaluate_key == evaluate_key and (run.verdict != "promoted" or run.run in promoted)
        for run in runs
    )
