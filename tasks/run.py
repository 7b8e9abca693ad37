"""One run in the making: its store, its clock, and what each stage did and why.

Stages write themselves down here as they are called; `publish` turns it into the run's folder.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks import run_folders
from tasks.stage_key import StageKey
from tasks.store import Store


class StageRun(BaseModel):
    """What one stage did in one run."""

    model_config = ConfigDict(frozen=True)

    key: StageKey
    state: str  # "ran" or "cached"
    reason: str
    seconds: float
    outputs: dict[str, str]  # each output file's SHA-256

    def described(self) -> dict[str, Any]:
        """Return the stage as it stands in the manifest."""
        return {
            "state": self.state,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "key": self.key.digest,
            **self.key.model_dump(mode="json", exclude={"stage"}),
            "outputs": self.outputs,
        }


class Run:
    """A run that has begun: what stages need to know of it and what they leave in it."""

    def __init__(self, artifacts: Path, flow_run_name: str) -> None:
        self.started = datetime.now(UTC)
        self.store = Store(folder=artifacts)
        self.name = f"{self.started:%Y-%m-%dT%H-%M-%SZ}-{flow_run_name}"
        self.stages: list[StageRun] = []
        self._clock = time.perf_counter()
        self._before = run_folders.latest_stage_keys(artifacts)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._clock

    @property
    def nothing_new(self) -> bool:
        """Whether every stage so far was cached."""
        return all(stage.state == "cached" for stage in self.stages)

    def key_before(self, stage: str) -> StageKey | None:
        """Return the stage's key in the latest complete run, if there is one."""
        return self._before.get(stage)
