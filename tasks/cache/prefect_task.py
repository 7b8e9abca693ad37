"""A stage as a Prefect task: cached by its key, its record in strict JSON, one retry.

Kept apart from `stage.py`, so that only what runs stages has to import Prefect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from prefect import State, Task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import TaskRun
from prefect.context import TaskRunContext
from prefect.serializers import Serializer
from pydantic import BaseModel, Field

from tasks.cache import records
from tasks.cache.key import stage_key
from tasks.cache.stage import R, Stage
from tasks.cache.store import Store
from tasks.errors import FINAL


@dataclass
class ByContent(CachePolicy):
    """Cache policy: the same input bytes, settings and source code give the same key."""

    module: str = ""

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],
        **kwargs: Any,
    ) -> str:
        """Return the digest of the stage's key."""
        return stage_key(task_ctx.task.name, inputs, self.module).digest


class RecordSerializer(Serializer):  # its generic form would be registered as a type of its own
    """Prefect serializer for the small frozen records that stages return."""

    type: str = Field(default=records.SERIALIZER, frozen=True)

    def dumps(self, obj: BaseModel | BaseException) -> bytes:
        """Encode a record, or a failed stage's error as its text."""
        return records.encoded(obj)

    def loads(self, blob: bytes) -> BaseModel | BaseException:
        """Decode and validate a record; see `records.decoded`."""
        return records.decoded(blob)


def may_pass(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task is worth a retry: a disk on a network may answer the next time."""
    return not isinstance(state.result(raise_on_failure=False), FINAL)


def execute(
    stage: Stage[..., R], store: Store, arguments: Mapping[str, Any], *, refresh: bool
) -> State[R]:
    """Run a stage as a Prefect task, unless Prefect finds its result stored.

    Args:
        stage: what to run.
        store: where results and files are kept.
        arguments: by name, without the store.
        refresh: whether to run it in any case.
    """
    task = as_task(stage, store, refresh=refresh)
    state: State[R] = task(store, **arguments, return_state=True)
    return state


def as_task(stage: Stage[..., R], store: Store, *, refresh: bool) -> Task[..., R]:
    """Return a stage as a Prefect task whose results are kept in a store; see `execute`."""
    task = _task(stage).with_options(result_storage=store.results.resolve())
    return task.with_options(refresh_cache=True) if refresh else task


@cache
def _task(stage: Stage[..., R]) -> Task[..., R]:
    return Task(
        stage.function,
        name=stage.name,
        cache_policy=ByContent(module=stage.module),
        result_serializer=RecordSerializer(),
        persist_result=True,
        cache_result_in_memory=False,  # every hit is read from disk, where it may be damaged
        retries=1,
        retry_condition_fn=may_pass,
    )
