"""What a stage's cache key is made of, and how two keys differ in words.

The key is the SHA-256 of the stage's name, its input files by content, its settings, and the
source code it depends on. No path is part of it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from tasks.cache.sources import digests_of_stage
from tasks.cache.store import SourceFile, Store, StoredFile

T = TypeVar("T")


@dataclass(frozen=True)
class NotInKey(Generic[T]):
    """An argument that can't change a stage's result, such as where it is computed."""

    value: T


def call_name(stage: str, number: int) -> str:
    """Return the name in a run of a stage's call; the first, number 0, has the stage's own."""
    return f"{stage}-{number + 1}" if number else stage


def stage_of(call: str) -> str:
    """Return the stage of a call from its name in a run: `train` of `train-2`, the second one."""
    return call.partition("-")[0]


class StageKey(BaseModel):
    """Everything that decides a stage's output."""

    model_config = ConfigDict(frozen=True)

    stage: str
    inputs: dict[str, str]
    settings: dict[str, Any]
    code: dict[str, str]

    @property
    def digest(self) -> str:
        """The key itself, 64 hexadecimal digits."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def stage_key(stage: str, arguments: Mapping[str, Any], module: str) -> StageKey:
    """Make the key of one call of a stage from its arguments.

    A file counts by its content; so do the files that an earlier stage's record names.

    Args:
        stage: its name.
        arguments: by name. A store, None and what is marked as not in the key add nothing.
        module: dotted name of the module that defines the stage.

    Raises:
        TypeError: an argument is neither a file, a record, settings nor a plain value. Better an
            error than a key that overlooks an input.
    """
    inputs: dict[str, str] = {}
    settings: dict[str, Any] = {}
    for name, value in _parts(stage, arguments):
        if isinstance(value, SourceFile | StoredFile):
            inputs[name] = value.sha256
        else:
            settings[name] = value
    return StageKey(stage=stage, inputs=inputs, settings=settings, code=digests_of_stage(module))


def _parts(stage: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield files and plain values with their dotted names."""
    for name, value in arguments.items():
        match value:
            case Store() | NotInKey() | None:  # None is an input that is not there
                continue
            case SourceFile() | StoredFile() | int() | float() | str() | bool():
                yield name, value
            case tuple():
                yield from _parts(stage, {f"{name}.{n}": part for n, part in enumerate(value)})
            case BaseModel():
                plain = value.model_dump(mode="json")
                for field in plain:
                    part = getattr(value, field)
                    is_file = isinstance(part, SourceFile | StoredFile)
                    yield f"{name}.{field}", part if is_file else plain[field]
            case _:
                raise TypeError(f"{stage}: no rule to digest argument {name!r}: {value!r}")


def differences(before: StageKey, now: StageKey) -> list[str]:
    """List what changed between two keys of a stage, settings first, in words."""
    changed = [
        f"{name} changed {_shown(before.settings.get(name))} → {_shown(now.settings.get(name))}"
        for name in sorted(before.settings.keys() | now.settings.keys())
        if before.settings.get(name) != now.settings.get(name)
    ]
    changed += [f"input {change}" for change in _changes(before.inputs, now.inputs)]
    return [*changed, *_changes(before.code, now.code)]


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield which files are other ones now, by their names."""
    for name in sorted(before.keys() | now.keys()):
        if name not in before:
            yield f"{name} is new"
        elif name not in now:
            yield f"{name} is gone"
        elif before[name] != now[name]:
            yield f"{name} changed"


WHY_CACHED = "same inputs, settings and code as a stored result"


def why_run(
    name: str, before: Mapping[str, StageKey], now: StageKey, unusable: str | None, *, refresh: bool
) -> str:
    """Say why a call of a stage has to run.

    Args:
        name: the call's in a run.
        before: the keys of the latest complete run, by such names; none before the first.
        now: its key; of one that is not complete yet, what is there is compared.
        unusable: why its stored result can't be used; None if it can.
        refresh: whether it has to run in any case.
    """
    if refresh:
        return "refresh was asked for"
    if not before:
        return "first run"
    if name not in before:
        return f"the latest run had no {name}"
    changes = differences(before[name], now)
    return "; ".join(changes) or unusable or "the stored result could not be read"


def _shown(value: Any) -> str:
    return "unset" if value is None else json.dumps(value)
