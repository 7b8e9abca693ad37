"""A run's manifest as a file: what other modules read of it, and the seal that shows an edit.

The seal is the manifest's digest of itself. It is against accident and careless edits, not against
a forger, who can make it anew.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.cache.atomic import atomic_path
from tasks.cache.key import StageKey
from tasks.cache.store import SourceFile
from tasks.errors import InputError
from tasks.runs.folders import MANIFEST, read_json

_SEAL = "manifest_sha256"


class StageAccount(BaseModel):
    """What a manifest says of one stage; beside `key` stand the parts that the key is made of."""

    model_config = ConfigDict(frozen=True, extra="allow")

    key: str
    settings: dict[str, Any]
    inputs: dict[str, str]  # each input file's SHA-256, by the argument's name
    code: dict[str, str]  # each source file's SHA-256
    outputs: dict[str, str]  # each stored file's SHA-256, by its name in the store

    def key_from_parts(self, stage: str) -> str:
        """Work out the key anew from its parts."""
        return StageKey.model_validate({**self.model_dump(), "stage": stage}).digest


class Manifest(BaseModel):
    """What a run's manifest says of its making, as far as other modules read it."""

    model_config = ConfigDict(frozen=True)

    run: str
    settings: dict[str, Any]
    source: SourceFile
    initial_weights: SourceFile | None = None
    stages: dict[str, StageAccount]
    code_sha256: str  # of all code, also that which no stage depends on
    git: dict[str, Any] | None
    packages: dict[str, str]
    python: str
    platform: str
    files: dict[str, str]  # SHA-256 of every other file of the run's folder

    @property
    def flat_settings(self) -> dict[str, Any]:
        """The settings by their dotted names, such as `training.l2`."""
        return dict(_flat(self.settings))

    @property
    def outputs(self) -> dict[str, str]:
        """SHA-256 of every file that the stages left in the store, by its name there."""
        return {n: sha256 for each in self.stages.values() for n, sha256 in each.outputs.items()}

    def output(self, stage: str, file: str) -> tuple[str, str] | None:
        """Return name in the store and SHA-256 of what a stage kept as `file`; None if nothing."""
        outputs = self.stages[stage].outputs if stage in self.stages else {}
        stem, suffix = file.split(".")
        names = (n for n in outputs if n.startswith(f"{stem}-") and n.endswith(f".{suffix}"))
        return next(((name, outputs[name]) for name in names), None)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run's folder.

    Raises:
        InputError: it is missing or damaged.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: {place}: {first['msg']}. Use another run.") from error


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest whole or not at all, its seal as the last field."""
    with atomic_path(path) as new:
        new.write_bytes(_sealed(manifest))


def seal_damage(path: Path) -> str | None:
    """Say how a manifest's bytes differ from those that were written, or None if they don't.

    Raises:
        InputError: it can't be read as JSON.
    """
    manifest = read_json(path)
    if manifest.pop(_SEAL, None) is None:
        return f"has no {_SEAL}: edited, or written by a version that knew none"
    if path.read_bytes() != _sealed(manifest):
        return f"was altered: it is not what its {_SEAL} was made from"
    return None


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _sealed(manifest: Mapping[str, Any]) -> bytes:
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    seal = hashlib.sha256(canonical.encode()).hexdigest()
    text = json.dumps({**manifest, _SEAL: seal}, indent=2, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace")  # how JSON writes what UTF-8 can't
