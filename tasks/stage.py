"""The `@stage` decorator: a Prefect task cached by content, which writes down what it did and why.

A stage's function takes the store and then files, settings or plain values, and returns a frozen
pydantic record whose files are in the store.
"""

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_type_hints

from prefect import State, Task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import TaskRun
from prefect.context import TaskRunContext
from pydantic import BaseModel

from network.gradient_descent import DivergenceError
from tasks import records
from tasks.errors import InputError
from tasks.run import Run, StageRun
from tasks.stage_key import StageKey, differences, stage_key
from tasks.store import Store

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)


@dataclass
class ByContent(CachePolicy):
    """Cache policy: the same input bytes, settings and source code give the same key."""

    sources: tuple[str, ...] = ()

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],
        **kwargs: Any,
    ) -> str:
        """Return the digest of the stage's key."""
        return stage_key(task_ctx.task.name, inputs, self.sources).digest


def _may_help_to_retry(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    # A store on a network or a torn record may be whole the next time; bad input never is.
    return not isinstance(state.result(raise_on_failure=False), InputError | DivergenceError)


class Stage(Generic[P, R]):
    """A cached step of the pipeline; call it with the run in place of the store."""

    def __init__(self, function: Callable[Concatenate[Store, P], R], sources: Sequence[str]):
        self.function = function
        self.name = function.__name__
        self.sources = tuple(sources)
        self._signature = inspect.signature(function)
        self._task = Task(
            function,
            name=self.name,
            cache_policy=ByContent(sources=self.sources),
            result_serializer=records.RecordSerializer(),
            persist_result=True,
            cache_result_in_memory=False,  # every hit is read from disk, where it may be damaged
            retries=1,
            retry_condition_fn=_may_help_to_retry,
        )
        records.register(get_type_hints(function)["return"])

    def __call__(self, run: Run, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the stage, or take its stored result, and write down which and why."""
        bound = self._signature.bind(run.store, *args, **kwargs)
        bound.apply_defaults()
        key = stage_key(self.name, bound.arguments, self.sources)
        damage = records.damage(run.store, key.digest)
        if damage:
            records.discard(run.store, key.digest)
        began = time.perf_counter()
        task = self._task.with_options(result_storage=run.store.results.resolve())
        state: State[R] = task(run.store, *args, return_state=True, **kwargs)
        result = state.result()
        ran = state.name != "Cached"
        run.stages.append(
            StageRun(
                key=key,
                state="ran" if ran else "cached",
                reason=_reason(run.key_before(self.name), key, damage if ran else None),
                seconds=time.perf_counter() - began,
                outputs={file.name: file.sha256 for file in records.stored_files(result)},
            )
        )
        return result


def _reason(before: StageKey | None, now: StageKey, damage: str | None) -> str:
    """Say why a stage ran (`damage` given) or was cached, against the latest complete run."""
    if damage is None:
        return "same inputs, settings and code as a stored result"
    if before is None:
        return "first run"
    return "; ".join(differences(before, now)) or damage


def stage(
    *sources: str,
) -> Callable[[Callable[Concatenate[Store, P], R]], Stage[P, R]]:
    """Make a function a stage of the pipeline.

    Args:
        sources: the source files and packages, from the project's root, that decide its output.
    """

    def decorate(function: Callable[Concatenate[Store, P], R]) -> Stage[P, R]:
        return Stage(function, sources)

    return decorate
