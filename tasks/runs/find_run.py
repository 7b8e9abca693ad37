"""Which run a name means: a folder's name, its beginning, `latest` or `champion`."""

from pathlib import Path

from tasks.errors import InputError
from tasks.remote.mirror import shown
from tasks.runs.folders import champion_name, complete_runs
from tasks.runs.shared_runs import download_run, update_runs


def find_run(artifacts: Path, run: str) -> Path:
    """Return the folder of the run that a name means.

    Args:
        artifacts: the artifacts folder.
        run: a folder's name, any unique beginning of it, `latest` or `champion`.

    Raises:
        InputError: no complete run is meant, or more than one.
    """
    update_runs(artifacts)
    folder = _meant(artifacts, run)
    download_run(artifacts, folder.name)
    return folder


def _meant(artifacts: Path, run: str) -> Path:
    runs = complete_runs(artifacts)
    if not runs:
        raise InputError(f"{shown(artifacts)}: no complete run yet. Start one with: digits train")
    if run == "latest":
        return runs[0]
    if run == "champion":
        return _champion(artifacts, runs)
    if exact := [folder for folder in runs if folder.name == run]:
        return exact[0]
    meant = [folder for folder in runs if run and folder.name.startswith(run)]
    if not meant:
        raise InputError(f"{run}: no such run in {shown(artifacts)}. List them with: digits runs")
    if len(meant) > 1:
        names = ", ".join(folder.name for folder in meant[:5])
        raise InputError(f"{run}: means {len(meant)} runs ({names}). Write more of the name.")
    return meant[0]


def _champion(artifacts: Path, runs: list[Path]) -> Path:
    name = champion_name(artifacts)
    if name is None:
        raise InputError(
            f"{shown(artifacts)}: no champion yet. Name a run, such as latest, or choose a "
            "champion: digits promote RUN"
        )
    for folder in runs:
        if folder.name == name:
            return folder
    raise InputError(
        f"{shown(artifacts)}: the champion, {name}, was deleted. Name another run, choose a "
        "champion (digits promote RUN), or return to the previous one (digits rollback)."
    )
