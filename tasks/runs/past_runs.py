"""Every run so far in a line, newest first; a damaged one with the reason.

A run whose files are damaged is shown as such and harms no other.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import InputError
from tasks.runs.folders import MANIFEST, METRICS, SECOND, complete_runs, read_json

Share = Annotated[float, Field(ge=0, le=1)]


class PastRun(BaseModel):
    """One run in a line."""

    model_config = ConfigDict(frozen=True)

    run: str
    started: datetime
    seconds: float
    csv: str
    stages: int
    ran: tuple[str, ...]  # the stages that were not cached
    accuracy: Share  # on the test split of its own day
    accuracy_interval: tuple[Share, Share]
    train_rows: int
    test_rows: int
    classes: tuple[int, ...]
    verdict: str
    evaluate_key: str | None = Field(exclude=True)  # of its last stage: which network, which split


class DamagedRun(BaseModel):
    """A run whose manifest.json or metrics.json can't be used."""

    model_config = ConfigDict(frozen=True)

    run: str
    damage: str  # why it can't be used


def summary(manifest: dict[str, Any], metrics: dict[str, Any]) -> PastRun:
    """Return a run's line, from its manifest.json and metrics.json.

    Raises:
        InputError: something is missing or of the wrong type.
    """
    try:
        stages = manifest["stages"]
        ran = tuple(name for name, stage in stages.items() if stage["state"] == "ran")
        key = stages["evaluate"]["key"] if "evaluate" in stages else None
        found = {"csv": manifest["source"]["path"], "stages": len(stages), "ran": ran}
        found["evaluate_key"] = key
        return PastRun.model_validate({**metrics, **manifest, **found})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{type(error).__name__}: {error}") from error


def all_runs(artifacts: Path) -> Iterator[PastRun | DamagedRun]:
    """Yield every run that has a manifest, newest first."""
    for folder in complete_runs(artifacts):
        try:
            manifest, metrics = read_json(folder / MANIFEST), read_json(folder / METRICS)
            yield summary({**manifest, "run": folder.name}, metrics)
        except InputError as error:
            yield DamagedRun(run=folder.name, damage=str(error))


def whole(runs: Iterable[PastRun | DamagedRun]) -> list[PastRun]:
    """Return those of some runs that are not damaged."""
    return [run for run in runs if isinstance(run, PastRun)]


def with_latest(
    latest: PastRun, runs: Iterable[PastRun | DamagedRun]
) -> list[PastRun | DamagedRun]:
    """Return runs, newest first, with the one published last in its place among them."""
    # The sort keeps the order of runs that began in the same second.
    return sorted([latest, *runs], key=lambda run: run.run[:SECOND], reverse=True)
