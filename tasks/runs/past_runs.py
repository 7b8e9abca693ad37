"""How well every run read its test digits, for pages that look back.

Runs whose files are damaged are left out: a look back must not keep a new run from being published.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.digits.classes import DIGITS
from tasks.errors import InputError
from tasks.runs.folders import MANIFEST, complete_runs, read_json

Share = Annotated[float, Field(ge=0, le=1)]


class PastRun(BaseModel):
    """One run in a line."""

    model_config = ConfigDict(frozen=True)

    run: str
    started: datetime
    accuracy: Share  # on the test split of its own day
    accuracy_interval: tuple[Share, Share]
    test_rows: int
    classes: tuple[int, ...] = DIGITS
    verdict: str


def summary(manifest: dict[str, Any], metrics: dict[str, Any]) -> PastRun:
    """Return a run's line, from what its manifest.json and metrics.json say.

    Raises:
        ValidationError: something is missing or no number.
    """
    return PastRun.model_validate({**metrics, **manifest})


def past_runs(artifacts: Path, most: int | None = None) -> list[PastRun]:
    """Return the newest complete runs, all of them by default, newest first."""
    runs: list[PastRun] = []
    for folder in complete_runs(artifacts):
        if len(runs) == most:
            break
        try:
            manifest, metrics = read_json(folder / MANIFEST), read_json(folder / "metrics.json")
            runs.append(summary({**manifest, "run": folder.name}, metrics))
        except (InputError, ValidationError):
            continue
    return runs
