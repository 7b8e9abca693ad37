"""The `@stage` decorator: a Prefect task cached by content.

A stage's function takes the store and then files, settings or plain values, and returns a frozen
pydantic record whose files are in the store. Called with a run it is run or taken from the cache;
called with a plan it only says which.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_type_hints

from prefect import State, Task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import TaskRun
from prefect.context import TaskRunContext
from pydantic import BaseModel

from network.gradient_descent import DivergenceError
from network.weights import WeightsError
from tasks.cache import records
from tasks.cache.key import StageKey, stage_key
from tasks.cache.store import Store
from tasks.errors import InputError

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
    error = state.result(raise_on_failure=False)
    return not isinstance(error, InputError | WeightsError | DivergenceError | MemoryError)


class Performer(Protocol):
    """Whoever a stage is called with: a `Run`, which performs it, or a `Plan`, which foresees."""

    def perform(self, stage: "Stage[..., R]", arguments: Mapping[str, Any]) -> R:
        """Return the stage's record, written down on the way."""


class Stage(Generic[P, R]):
    """A cached step of the pipeline; call it with a run or a plan in place of the store."""

    def __init__(self, function: Callable[Concatenate[Store, P], R], sources: Sequence[str]):
        self.function = function
        self.name = function.__name__
        self.sources = tuple(sources)
        _, *parameters = inspect.signature(function).parameters.values()  # without the store
        self._signature = inspect.Signature(parameters)
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

    def __call__(self, performer: Performer, *args: P.args, **kwargs: P.kwargs) -> R:
        """Have the stage performed on these arguments."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return performer.perform(self, bound.arguments)

    def key(self, arguments: Mapping[str, Any]) -> StageKey:
        """Return the key of the stage's call with these arguments."""
        return stage_key(self.name, arguments, self.sources)

    def execute(self, store: Store, arguments: Mapping[str, Any], *, refresh: bool) -> State[R]:
        """Run the stage as a Prefect task, unless Prefect finds its result stored.

        Args:
            store: where results and files are kept.
            arguments: by name, without the store.
            refresh: whether to run it even so.
        """
        task = self._task.with_options(result_storage=store.results.resolve())
        if refresh:
            task = task.with_options(refresh_cache=True)
        state: State[R] = task(store, **arguments, return_state=True)
        return state


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
