"""A run's data: their profile, their drift since the champion's, and leaks into the test split.

Leaks are images that are in both splits: the network is tested on images it was trained on.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks.champion.drift import Drift, champion_profile, drift_between
from tasks.champion.trained_on import trained_on
from tasks.digits.profile import Profile
from tasks.errors import InputError


class DataWatch(BaseModel):
    """The data of a run, compared with the champion's where these are known."""

    model_config = ConfigDict(frozen=True)

    profile: Profile
    test_images_in_training: int
    before: Profile | None = None
    drift: Drift | None = None
    not_compared: str | None = None  # why there is no drift to report

    def described(self) -> dict[str, Any]:
        """Return it for metrics.json, without what only other runs need, which profile.json has."""
        shown = {"rows", "classes", "counts", "ink", "regions", "duplicates"}
        return {
            **self.profile.model_dump(mode="json", include=shown),
            "test_images_in_training": self.test_images_in_training,
            "before": self.before and self.before.model_dump(mode="json", include=shown),
            "drift": self.drift and self.drift.model_dump(mode="json"),
            "not_compared": self.not_compared,
        }


def watch_data(
    artifacts: Path, champion: str | None, profile: Profile, train: Path, test: Path
) -> DataWatch:
    """Compare today's data with the champion's, and count what is in both splits.

    Args:
        artifacts: the artifacts folder.
        champion: the run in use, if there is one.
        profile: of today's data.
        train: the training split, a Parquet file.
        test: the test split, a Parquet file.
    """
    # An image in both splits is one that the data have more than once.
    in_both = int(trained_on(train, test).sum()) if profile.duplicates else 0
    try:
        before = champion_profile(artifacts, champion, profile.classes)
    except InputError as error:
        return DataWatch(profile=profile, test_images_in_training=in_both, not_compared=str(error))
    return DataWatch(
        profile=profile,
        test_images_in_training=in_both,
        before=before,
        drift=drift_between(str(champion), before, profile),
    )
