"""A run while it runs: its store, its clock, and what each stage does and why.

Every stage that is called leaves its account here; `publish` writes them to the run's folder.
"""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, Self

from pydantic import BaseModel, ConfigDict

from tasks.cache import records
from tasks.cache.key import WHY_CACHED, StageKey, why_run
from tasks.cache.locks import IN_USE, shared
from tasks.cache.prefect_task import execute
from tasks.cache.stage import P, R, Stage
from tasks.cache.store import Store
from tasks.remote.results import download_result, upload_result
from tasks.runs import folders as run_folders
from tasks.runs.shared_runs import update_runs


class StageRun(BaseModel):
    """What one stage did in one run."""

    model_config = ConfigDict(frozen=True)

    key: StageKey
    state: str  # "ran" or "cached"
    reason: str
    seconds: float
    outputs: dict[str, str]  # each output file's SHA-256

    def described(self) -> dict[str, Any]:
        """Return the stage's account for the manifest."""
        return {
            "state": self.state,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "key": self.key.digest,
            **self.key.model_dump(mode="json", exclude={"stage"}),
            "outputs": self.outputs,
        }


class Run:
    """A run that has begun: stages are called with it, and it keeps what they did.

    Inside its `with` block nothing of the artifacts folder is pruned.

    Args:
        artifacts: the artifacts folder.
        flow_run_name: Prefect's name for the run, the second half of the folder's.
        refresh: names of stages that run even if their result is stored.

    Raises:
        OSError: the artifacts folder can't be written to.
    """

    def __init__(self, artifacts: Path, flow_run_name: str, refresh: Collection[str] = ()) -> None:
        self.started = datetime.now(UTC)
        self.store = Store(folder=artifacts)
        self.store.prepare()
        update_runs(artifacts)
        self.name = f"{self.started:%Y-%m-%dT%H-%M-%SZ}-{flow_run_name}"
        self.stages: list[StageRun] = []
        self._clock = time.perf_counter()
        self._before = run_folders.latest_stage_keys(artifacts)
        self._refresh = refresh
        self._locks = ExitStack()

    def __enter__(self) -> Self:
        """Mark the artifacts folder as in use."""
        self._locks.enter_context(shared(self.store.folder / IN_USE))
        return self

    def __exit__(self, *_: object) -> None:
        """Release the artifacts folder."""
        self._locks.close()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._clock

    @property
    def nothing_new(self) -> bool:
        """Whether every stage so far was cached."""
        return all(stage.state == "cached" for stage in self.stages)

    def check(
        self, check: Callable[Concatenate[Store, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Check something between two stages; what it raises ends the run."""
        check(self.store, *args, **kwargs)

    def perform(self, stage: Stage[..., R], arguments: Mapping[str, Any]) -> R:
        """Run a stage, or take its stored result, and keep an account of which and why."""
        key = stage.key(arguments)
        download_result(self.store, key.digest)
        unusable = records.why_unusable(self.store, key.digest)
        if unusable:
            records.discard(self.store, key.digest)
        refresh = stage.name in self._refresh
        began = time.perf_counter()
        state = execute(stage, self.store, arguments, refresh=refresh)
        result = state.result()
        upload_result(self.store, key.digest, is_new=state.name != "Cached")
        self.store.drop_checkpoints(key.digest)  # its result is stored now
        if state.name == "Cached":
            reason = WHY_CACHED
        else:
            reason = why_run(self._before.get(stage.name), key, unusable, refresh=refresh)
        self.stages.append(
            StageRun(
                key=key,
                state="cached" if state.name == "Cached" else "ran",
                reason=reason,
                seconds=time.perf_counter() - began,
                outputs={file.name: file.sha256 for file in records.stored_files(result)},
            )
        )
        return result
