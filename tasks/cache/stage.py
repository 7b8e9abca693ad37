"""The `@stage` decorator: a step of the pipeline whose result is cached by content.

A stage's function takes the store and then files, records, settings or plain values, and returns a
frozen pydantic record whose files are in the store. Called with a run, it runs or its stored result
is reused; called with a plan, it only says which. `prefect_task.py` runs it as a Prefect task.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_type_hints

from pydantic import BaseModel

from tasks.cache import records
from tasks.cache.key import StageKey, stage_key
from tasks.cache.store import Store

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)


# Takes the number of calls, and yields what to call after each.
Progress = Callable[[int], AbstractContextManager[Callable[[], None]]]


class Performer(Protocol):
    """What a stage is called with: a `Run`, which performs it, or a `Plan`, which does not."""

    def perform(self, stage: "Stage[..., R]", arguments: Mapping[str, Any]) -> R:
        """Return the stage's record, and keep an account of it."""

    def perform_all(
        self,
        stage: "Stage[..., R]",
        calls: Sequence[Mapping[str, Any]],
        progress: Progress,
    ) -> list[R | Exception]:
        """Return the records of several calls of a stage, and keep an account of each."""


class Stage(Generic[P, R]):
    """A cached step of the pipeline; call it with a run or a plan in place of the store."""

    def __init__(self, function: Callable[Concatenate[Store, P], R]) -> None:
        self.function = function
        self.name = function.__name__
        self.module = function.__module__
        # Where it is found in its module, so that pickle sends its name to workers and no code.
        function.__qualname__ += ".function"
        _, *parameters = inspect.signature(function).parameters.values()  # without the store
        self._signature = inspect.Signature(parameters)
        records.register(get_type_hints(function)["return"])

    def __call__(self, performer: Performer, *args: P.args, **kwargs: P.kwargs) -> R:
        """Have the stage performed on these arguments."""
        return performer.perform(self, self.arguments(*args, **kwargs))

    def arguments(self, *args: P.args, **kwargs: P.kwargs) -> Mapping[str, Any]:
        """Return the arguments of a call by name, for a call among several."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.arguments

    def key(self, arguments: Mapping[str, Any]) -> StageKey:
        """Return the key of the stage's call with these arguments."""
        return stage_key(self.name, arguments, self.module)


def stage(function: Callable[Concatenate[Store, P], R]) -> Stage[P, R]:
    """Make a function a stage of the pipeline; its key knows all source code it depends on."""
    return Stage(function)
