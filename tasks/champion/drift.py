"""Whether today's digits are still like those that the champion was trained on.

The measure is the population stability index, Σ (now − before) · ln(now / before) over shares. The
limits are the usual ones: below 0.1 nothing has changed, from 0.25 on it is another population.
Source: Siddiqi (2006), Credit Risk Scorecards, chapter 7.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.cache.store import Store, StoredFile
from tasks.champion.promotions import Promotions
from tasks.digits.classes import in_words
from tasks.digits.profile import Profile, share_seen
from tasks.errors import DataError, InputError
from tasks.runs.folders import read_json

PROFILE = "profile.json"
MODERATE, LARGE = 0.1, 0.25
_INK_GROUPS = 10  # tenths of the earlier images, by ink

Level = Literal["none", "moderate", "large"]


class Shift(BaseModel):
    """How far one distribution has moved."""

    model_config = ConfigDict(frozen=True)

    index: float  # population stability index
    by_chance: float  # the mean index of two samples of these sizes from one population
    level: Level


class Drift(BaseModel):
    """Today's digits compared with those of the champion's run."""

    model_config = ConfigDict(frozen=True)

    run: str  # the champion's
    digits: Shift  # which digits there are
    ink: Shift  # how much ink an image has
    level: Level  # the greater of the two
    seen_before: float  # share of today's different images that the champion's data had too


def population_shift(before: np.ndarray, now: np.ndarray) -> Shift:
    """Compare two samples by their counts in the same groups, at least one count in each sample.

    Half a count is added to every group, so that an empty one gives no infinity. Small samples
    differ by chance alone, on average by (groups − 1) · (1 / n + 1 / m); the level is that of
    the rest. Source: Yurdakul (2018), Statistical properties of population stability index.
    """
    expected = (before + 0.5) / (before + 0.5).sum()
    actual = (now + 0.5) / (now + 0.5).sum()
    index = float(((actual - expected) * np.log(actual / expected)).sum())
    by_chance = float((len(before) - 1) * (1 / before.sum() + 1 / now.sum()))
    left = index - by_chance
    level: Level = "none" if left < MODERATE else "moderate" if left < LARGE else "large"
    return Shift(index=index, by_chance=by_chance, level=level)


def drift_between(run: str, before: Profile, now: Profile) -> Drift:
    """Compare today's profile with that of the champion's run, which has the same classes."""
    digits = population_shift(np.array(before.counts), np.array(now.counts))
    ink = population_shift(*_by_tenths(before.ink_histogram, now.ink_histogram))
    levels: tuple[Level, ...] = ("none", "moderate", "large")
    return Drift(
        run=run,
        digits=digits,
        ink=ink,
        level=max(digits.level, ink.level, key=levels.index),
        seen_before=share_seen(now, before),
    )


def _by_tenths(before: tuple[int, ...], now: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Join the bins of two histograms to groups that hold about a tenth of the earlier one each."""
    counts = np.array(before)
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()  # share of images below a bin's middle
    groups = np.minimum((middle * _INK_GROUPS).astype(int), _INK_GROUPS - 1)
    _, groups = np.unique(groups, return_inverse=True)
    return np.bincount(groups, counts), np.bincount(groups, now)


def champion_profile(artifacts: Path, champion: str | None, classes: tuple[int, ...]) -> Profile:
    """Return the profile of the champion's data.

    Args:
        artifacts: the artifacts folder.
        champion: the run in use, if there is one.
        classes: the labels of today's data.

    Raises:
        InputError: there is none, or it is of other classes; the message says why in a few words.
    """
    if champion is None:
        raise InputError("there was no champion")
    path = artifacts / "runs" / champion / PROFILE
    if not path.exists():
        raise InputError(f"the champion, {champion}, left no profile of its data")
    try:
        profile = Profile.model_validate(read_json(path))
    except (InputError, ValidationError) as error:
        raise InputError(f"{path} is damaged") from error
    if profile.classes != classes:
        raise InputError(
            f"the champion, {champion}, knows the labels {in_words(profile.classes)}, and these "
            f"are {in_words(classes)}"
        )
    return profile


def refuse_drift(store: Store, profile: StoredFile, fail_on_drift: bool) -> None:
    """End a run before training if its data have drifted and `fail_on_drift` is on.

    Without a champion's profile to compare with, there is no drift.

    Raises:
        DataError: the data have drifted from the champion's.
    """
    if not fail_on_drift:
        return
    champion = Promotions(store.folder).champion
    now = Profile.model_validate(read_json(store.path(profile)))
    try:
        before = champion_profile(store.folder, champion, now.classes)
    except InputError:
        return
    drift = drift_between(str(champion), before, now)
    if drift.level == "large":
        moved = " and ".join(
            f"{what} by {shift.index:.2f}"
            for what, shift in (("the digits' shares", drift.digits), ("the ink", drift.ink))
            if shift.level == "large"
        )
        raise DataError(
            f"the data have drifted from those of the champion, {drift.run}: {moved} (population "
            f"stability index; {LARGE} is the limit). Nothing was trained. Look at the new rows; "
            "if they are right, train without `fail_on_drift`."
        )
