"""Runs on a URL: what is there is known here, and a run made here appears there whole.

Nothing is done where the artifacts are a folder of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.errors import InputError
from tasks.remote.folders import (
    complete_folder,
    download_all,
    download_files,
    update_folders,
    upload_folder,
)
from tasks.remote.objects import objects_of
from tasks.runs.folders import CHAMPION, MANIFEST, METRICS, champion_name, read_json
from tasks.runs.manifest import read_manifest


def update_runs(artifacts: Path) -> None:
    """Have the mirror know the champion and all complete runs.

    Of a run the manifest and the metrics are downloaded, of the champion everything.

    Raises:
        InputError: what should be the artifacts folder is a file.
    """
    if artifacts.is_file():
        raise InputError(f"{artifacts}: a file. Name the folder, or the URL, of artifacts.")
    objects = objects_of(artifacts)
    if objects is None:
        return
    if not objects.download(CHAMPION, artifacts / CHAMPION):
        (artifacts / CHAMPION).unlink(missing_ok=True)
    try:
        champion = champion_name(artifacts)
    except InputError:
        champion = None  # the caller finds out why
    if champion and not (artifacts / "runs" / champion / MANIFEST).exists():
        complete_run(artifacts, champion)  # if the one that promoted it was killed before
    update_folders(artifacts, "runs", (METRICS, MANIFEST))
    if champion:
        download_run(artifacts, champion)


def download_run(artifacts: Path, run: str) -> None:
    """Have the mirror hold all files of a complete run."""
    folder = artifacts / "runs" / run
    if objects_of(artifacts) is None or not (folder / MANIFEST).exists():
        return
    try:
        sha256s = dict(read_json(folder / MANIFEST)["files"])
    except (InputError, KeyError, TypeError, ValueError):
        return  # a damaged manifest is for its reader to report
    download_files(artifacts, f"runs/{run}", sha256s)


@contextmanager
def fresh_copy(artifacts: Path, run: str) -> Iterator[Path]:
    """Yield an artifacts folder with all of a run and its stages' outputs, as they are there now.

    It is a copy that is removed afterwards; where the artifacts are a folder, that folder.
    """
    objects = objects_of(artifacts)
    if objects is None:
        yield artifacts
        return
    with TemporaryDirectory(prefix="digits-") as folder:
        copy = Path(folder)
        download_all(artifacts, (each.name for each in objects.under(f"runs/{run}")), copy)
        try:
            outputs = read_manifest(copy / "runs" / run).outputs
        except InputError:
            outputs = {}  # a damaged manifest is for its reader to report
        download_all(artifacts, (f"store/{name}" for name in outputs), copy)
        yield copy


def upload_run(artifacts: Path, run: str) -> None:
    """Upload a run's folder; nobody sees it before `complete_run`."""
    upload_folder(artifacts, f"runs/{run}", MANIFEST)


def complete_run(artifacts: Path, run: str) -> None:
    """Let everyone see an uploaded run; nothing happens if they do."""
    complete_folder(artifacts, f"runs/{run}", MANIFEST)
