"""The folders that runs leave: which are complete, and which is the champion's.

A run is complete when it has a manifest, because that is written last. Folders without one are
listed nowhere.
"""

import re
import secrets
from pathlib import Path
from typing import Any

from tasks.cache.json_file import read_object
from tasks.cache.key import StageKey, stage_of
from tasks.errors import InputError

MANIFEST = "manifest.json"
METRICS = "metrics.json"
SECOND = len("2026-11-22T13-05-11Z")  # of a folder's name
CHAMPION = "champion.json"
SWEEP = "sweep.json"  # in the folder of a sweep, and written last there
BY_RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-.+")  # names of runs' folders, and sweeps'
BY_STAGE_KEY = re.compile(r"\.?[0-9a-f]{64}.*")  # names of what belongs to a stage's key


def complete_runs(artifacts: Path) -> list[Path]:
    """Return the folders of all complete runs, newest first.

    Names begin with the second a run began; of runs that began in the same one, the newest is the
    one whose manifest was written last.
    """
    folders = (path.parent for path in artifacts.glob(f"runs/*/{MANIFEST}"))
    return sorted(folders, key=_age, reverse=True)


def _age(folder: Path) -> tuple[str, int, str]:
    try:
        written = (folder / MANIFEST).lstat().st_mtime_ns
    except OSError:  # deleted meanwhile
        written = 0
    return folder.name[:SECOND], written, folder.name


def read_json(path: Path) -> dict[str, Any]:
    """Read one of a run's JSON files.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        return read_object(path)
    except InputError as error:
        raise InputError(f"{error}. Use another run.") from error


def champion_name(artifacts: Path) -> str | None:
    """Return the champion's name, or None before the first promotion."""
    path = artifacts / CHAMPION
    if not path.exists():
        return None
    try:
        return str(read_json(path)["run"])
    except (InputError, KeyError) as error:
        raise InputError(
            f"{path}: damaged, so the champion is not known. Name a run, or choose a champion: "
            "digits promote RUN"
        ) from error


def point_latest(artifacts: Path) -> None:
    """Let `artifacts/latest` name the newest complete run, by one rename; there must be one.

    Raises:
        OSError: a folder has that name.
    """
    newest = complete_runs(artifacts)[0]
    link = artifacts / f".latest-{secrets.token_hex(4)}"
    link.symlink_to(Path("runs") / newest.name, target_is_directory=True)
    try:
        link.replace(artifacts / "latest")
    finally:
        link.unlink(missing_ok=True)


def latest_stage_keys(artifacts: Path) -> dict[str, StageKey]:
    """Return the stage keys of the latest complete run, by name; empty before the first run."""
    for folder in complete_runs(artifacts):
        try:
            stages = read_json(folder / MANIFEST)["stages"]
            return {
                name: StageKey.model_validate({"stage": stage_of(name), **described})
                for name, described in stages.items()
            }
        except (InputError, KeyError, ValueError, AttributeError):
            continue  # only used to explain; a damaged manifest is for `digits show` to report
    return {}
