"""Whether a run is still as it was published: its files, its inputs in the store, its accuracy.

Nothing is changed or trusted: weights go through the restricted unpickler only.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.cache.store import Store, damage
from tasks.errors import InputError
from tasks.runs.contradictions import contradictions
from tasks.runs.folders import MANIFEST
from tasks.runs.manifest import Manifest, read_manifest, seal_damage
from tasks.runs.reevaluate import Reevaluation, reevaluate


class Problem(BaseModel):
    """One thing that is not as it was published."""

    model_config = ConfigDict(frozen=True)

    file: str  # from the run's folder, or `store/…` from the artifacts folder
    problem: str  # a sentence whose subject is the file


class Verification(BaseModel):
    """The result; the object that `digits verify --json` prints."""

    model_config = ConfigDict(frozen=True)

    run: str
    files: int  # of the run's folder, as named in the manifest, and the manifest
    stored_files: int  # of the store, as named in the manifest
    accuracy: float | None  # recomputed; None where weights or test split can't be used
    test_rows: int | None
    problems: list[Problem]


def verify(folder: Path, store: Store) -> Verification:
    """Check a run's files against its manifest, and evaluate its weights again.

    Args:
        folder: the run's folder.
        store: where its stages' outputs are.
    """
    try:
        seal = seal_damage(folder / MANIFEST)
        manifest = read_manifest(folder)
    except InputError as error:
        problem = Problem(file=MANIFEST, problem=f"can't be used: {error}")
        return Verification(
            run=folder.name,
            files=1,
            stored_files=0,
            accuracy=None,
            test_rows=None,
            problems=[problem],
        )
    found = [(MANIFEST, seal)] if seal else []
    contradicts = [(MANIFEST, each) for each in contradictions(manifest)]
    found += contradicts
    if manifest.run != folder.name:
        found.append((MANIFEST, f"is that of {manifest.run}"))
    found += _changed_files(folder, manifest)
    found += _changed_outputs(store, manifest)
    again = Reevaluation() if contradicts else reevaluate(folder, manifest, store)
    return Verification(
        run=folder.name,
        files=len(manifest.files) + 1,
        stored_files=len(manifest.outputs),
        accuracy=again.accuracy,
        test_rows=again.test_rows,
        problems=[Problem(file=f, problem=p) for f, p in (*found, *again.differences)],
    )


def _changed_files(folder: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the files of a run's folder that are missing, altered, or not named."""
    for name, sha256 in manifest.files.items():
        if wrong := damage(folder / name, sha256):
            yield name, wrong
    named = {MANIFEST, *manifest.files}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in named and (path.is_symlink() or not path.is_dir()):
            yield name, "is not named in the manifest"


def _changed_outputs(store: Store, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the stored files that are missing or altered."""
    for name, sha256 in manifest.outputs.items():
        if wrong := damage(store.files / name, sha256):
            yield f"store/{name}", wrong
