"""Whether a new network replaces the champion: it must recognise as many test digits.

`comparison` compares the champion with it, and `promotions` records the decision.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from network.weights import WeightsError
from tasks.champion.comparison import Comparison, compare_with_champion
from tasks.champion.promotions import Promotions
from tasks.digits.classes import image_noun, label_noun
from tasks.errors import InputError
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
        reason = "nothing was new: every stage came from the cache"
        return Decision(verdict="unchanged", reason=reason, comparison=comparison)
    return decide(comparison, limits)


def decide(comparison: Comparison, limits: PromotionSettings) -> Decision:
    """Promote a challenger that gains enough and loses no digit; keep the champion otherwise."""
    gain = comparison.challenger_accuracy - comparison.accuracy
    more = comparison.wrong_to_right - comparison.right_to_wrong
    gained = _gained(more, f"test {image_noun(comparison.classes)}")
    if comparison.left_out:
        gained += " that neither was trained on"
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
        return f"this network recognises as many {image}s"
    images = image if abs(more) == 1 else f"{image}s"
    return f"this network recognises {abs(more):,} {'more' if more > 0 else 'fewer'} {images}"


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
