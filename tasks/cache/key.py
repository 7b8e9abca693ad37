"""What a stage's cache key is made of, and how two keys differ in a person's words.

The key is the SHA-256 of the stage's name, its input files by content, its settings, and the
source code it depends on. Paths are in none of them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from tasks.cache.store import SourceFile, Store, StoredFile, sha256_of

_PROJECT = Path(__file__).resolve().parents[2]


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


def code_digests(sources: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of each source file, named from the project's root.

    Args:
        sources: paths such as `tasks/train.py`, or `network` for every module of a package.

    Raises:
        FileNotFoundError: a source names nothing; a stage must never forget what it depends on.
    """
    digests: dict[str, str] = {}
    for source in sources:
        path = _PROJECT / source
        modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        if not modules:
            raise FileNotFoundError(f"no source code in {path}")
        for module in modules:
            digests[module.relative_to(_PROJECT).as_posix()] = sha256_of(module)
    return digests


def stage_key(stage: str, arguments: Mapping[str, Any], sources: Iterable[str]) -> StageKey:
    """Make the key of one call of a stage from its arguments.

    Raises:
        TypeError: an argument is neither a file record, a settings model nor a plain value. Better
            an error than a key that overlooks an input.
    """
    inputs: dict[str, str] = {}
    settings: dict[str, Any] = {}
    for name, value in arguments.items():
        match value:
            case Store() | None:  # None is an input that is not there
                continue
            case SourceFile() | StoredFile():
                inputs[name] = value.sha256
            case BaseModel():
                dumped = value.model_dump(mode="json")
                settings |= {f"{name}.{field}": dumped[field] for field in dumped}
            case int() | float() | str() | bool():
                settings[name] = value
            case _:
                raise TypeError(f"{stage}: no rule to digest argument {name!r}: {value!r}")
    return StageKey(stage=stage, inputs=inputs, settings=settings, code=code_digests(sources))


def differences(before: StageKey, now: StageKey) -> list[str]:
    """List what changed between two keys of a stage, settings first, in a person's words."""
    changed = [
        f"{name} changed {_shown(before.settings.get(name))} → {_shown(now.settings.get(name))}"
        for name in sorted(before.settings.keys() | now.settings.keys())
        if before.settings.get(name) != now.settings.get(name)
    ]
    changed += [
        f"input {name} changed"
        for name in sorted(before.inputs.keys() | now.inputs.keys())
        if before.inputs.get(name) != now.inputs.get(name)
    ]
    changed += [
        f"{module} changed"
        for module in sorted(before.code.keys() | now.code.keys())
        if before.code.get(module) != now.code.get(module)
    ]
    return changed


WHY_CACHED = "same inputs, settings and code as a stored result"


def why_run(before: StageKey | None, now: StageKey, damage: str | None, *, refresh: bool) -> str:
    """Say why a stage has to run.

    Args:
        before: its key in the latest complete run, if there is one.
        now: its key; one that is not known whole yet is compared by what it holds.
        damage: what is wrong with its stored result, None if that could be used.
        refresh: whether it was asked to run in any case.
    """
    if refresh:
        return "refresh was asked for"
    if before is None:
        return "first run"
    return "; ".join(differences(before, now)) or damage or "the stored result could not be read"


def _shown(value: Any) -> str:
    return "unset" if value is None else json.dumps(value)
