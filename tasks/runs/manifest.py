"""A run's manifest as a file: its fields that other modules read, and a seal that shows edits.

The seal is the manifest's digest of itself. It is against accident and careless edits, not against
a forger, who can compute it too.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.cache.atomic import atomic_path
from tasks.cache.key import StageKey
from tasks.cache.store import SourceFile, sha256_of
from tasks.errors import InputError
from tasks.runs.flat_settings import flat_settings
from tasks.runs.folders import MANIFEST, read_json

_SEAL = "manifest_sha256"


class StageAccount(BaseModel):
    """A stage's part of a manifest: its key, and the parts that the key is made of."""

    model_config = ConfigDict(frozen=True, extra="allow")

    key: str
    settings: dict[str, Any]
    inputs: dict[str, str]  # each input file's SHA-256, by the argument's name
    code: dict[str, str]  # each source file's SHA-256
    outputs: dict[str, str]  # each stored file's SHA-256, by its name in the store

    def key_from_parts(self, stage: str) -> str:
        """Compute the key from its parts."""
        return StageKey.model_validate({**self.model_dump(), "stage": stage}).digest


class Manifest(BaseModel):
    """The fields of a run's manifest that other modules read."""

    model_config = ConfigDict(frozen=True)

    run: str
    settings: dict[str, Any]
    source: SourceFile
    initial_weights: SourceFile | None = None
    stages: dict[str, StageAccount]
    code_sha256: str  # of all source files, those too that no stage depends on
    git: dict[str, Any] | None
    packages: dict[str, str]
    python: str
    platform: str
    files: dict[str, str]  # SHA-256 of every other file of the run's folder

    @property
    def flat_settings(self) -> dict[str, Any]:
        """The settings by their dotted names, such as `training.l2`."""
        return flat_settings(self.settings)

    @property
    def outputs(self) -> dict[str, str]:
        """SHA-256 of every file that the stages left in the store, by its name there."""
        return {n: sha256 for each in self.stages.values() for n, sha256 in each.outputs.items()}

    @property
    def network_stage(self) -> str:
        """The stage that made the run's network: `merge` for an ensemble, `train` for others."""
        return "merge" if "merge" in self.stages else "train"

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


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a run's folder, with the digests of all files in it and its seal.

    It is written last: a folder without a manifest is not a run.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}
    seal_manifest(folder / MANIFEST, {**manifest, "files": files})


def seal_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest whole or not at all, its seal as the last field."""
    with atomic_path(path) as new:
        new.write_bytes(_sealed(manifest))


def seal_damage(path: Path) -> str | None:
    """Return how a manifest's bytes differ from those that were written; None if they do not.

    Raises:
        InputError: it can't be read as JSON.
    """
    manifest = read_json(path)
    if manifest.pop(_SEAL, None) is None:
        return f"was edited: it has no {_SEAL}"
    if path.read_bytes() != _sealed(manifest):
        return f"was altered: it is not what its {_SEAL} was made from"
    return None


def _sealed(manifest: Mapping[str, Any]) -> bytes:
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    seal = hashlib.sha256(canonical.encode()).hexdigest()
    text = json.dumps({**manifest, _SEAL: seal}, indent=2, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace")  # how JSON writes what UTF-8 can't
