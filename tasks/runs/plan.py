"""What a run would do, without doing it: which stages are cached, which would run, and why.

The flow's own lines are called with a plan in place of a run, so a plan can't differ from a run.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from tasks.cache import records
from tasks.cache.key import WHY_CACHED, StageKey, call_name, differences, why_run
from tasks.cache.stage import Progress, R, Stage
from tasks.cache.store import Store
from tasks.remote.results import download_result
from tasks.runs import folders as run_folders
from tasks.runs.shared_runs import update_runs


class StagePlan(BaseModel):
    """What one stage would do."""

    model_config = ConfigDict(frozen=True)

    stage: str
    state: str  # "would run" or "cached"
    reason: str


class _NotMade:
    """Stands for the record of a stage that would run, and for each of its parts."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def __getattr__(self, name: str) -> "_NotMade":
        return self


class Plan:
    """Called with a plan, stages only say what they would do.

    Args:
        artifacts: the artifacts folder.
        refresh: names of stages that would run even if their result is stored.
    """

    def __init__(self, artifacts: Path, refresh: Collection[str] = ()) -> None:
        self.stages: list[StagePlan] = []
        self._store = Store(folder=artifacts)
        update_runs(artifacts)
        self._before = run_folders.latest_stage_keys(artifacts)
        self._refresh = refresh

    def check(self, check: Callable[..., None], *args: object, **kwargs: object) -> None:
        """Leave a check to the run: it does not decide whether a stage is cached."""

    def perform(self, stage: Stage[..., R], arguments: Mapping[str, Any]) -> R:
        """Note what the stage would do, and return its record if it is stored."""
        return self._note(stage.name, stage, arguments)

    def perform_all(
        self, stage: Stage[..., R], calls: Sequence[Mapping[str, Any]], progress: Progress
    ) -> list[R | Exception]:
        """Note what each of several calls of a stage would do."""
        names = [call_name(stage.name, n) for n in range(len(calls))]
        return [self._note(name, stage, each) for name, each in zip(names, calls, strict=True)]

    def _note(self, name: str, stage: Stage[..., R], arguments: Mapping[str, Any]) -> R:
        waits_for = {n: each for n, value in arguments.items() if (each := _waited_for(value))}
        key = stage.key({n: v for n, v in arguments.items() if n not in waits_for})
        before = self._before.get(name)
        refresh = stage.name in self._refresh
        if not waits_for:
            download_result(self._store, key.digest)
        unusable = None if waits_for else records.why_unusable(self._store, key.digest)
        if waits_for:
            others = ", ".join(dict.fromkeys(chain(*waits_for.values())))
            own = differences(_without(before, waits_for), key) if before else []
            reason = "; ".join([f"depends on {others}, which would run", *own])
        elif unusable or refresh:
            reason = why_run(name, self._before, key, unusable, refresh=refresh)
        else:
            self.stages.append(StagePlan(stage=name, state="cached", reason=WHY_CACHED))
            return cast(R, records.read(self._store, key.digest))
        self.stages.append(StagePlan(stage=name, state="would run", reason=reason))
        return cast(R, _NotMade(name))


def _waited_for(value: Any) -> list[str]:
    """Return the stages that would make an argument, or parts of it."""
    parts = value if isinstance(value, tuple) else (value,)
    return [part.stage for part in parts if isinstance(part, _NotMade)]


def _without(key: StageKey, arguments: Collection[str]) -> StageKey:
    """Leave out what a key says of arguments that are not known yet."""
    return key.model_copy(
        update={
            part: {n: v for n, v in getattr(key, part).items() if n.split(".")[0] not in arguments}
            for part in ("inputs", "settings")
        }
    )
