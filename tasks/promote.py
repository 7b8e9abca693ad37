"""The champion changed by hand: another run, or the previous champion again."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from network.weights import WeightsError
from tasks.champion.promotions import begins_again, open_promotions
from tasks.errors import InputError
from tasks.remote.mirror import shown
from tasks.report.index_page import write_index
from tasks.runs.find_run import find_run
from tasks.runs.folders import CHAMPION, METRICS, complete_runs, read_json
from tasks.runs.model import load_model
from tasks.runs.past_runs import all_runs
from tasks.runs.shared_runs import download_run, update_runs


class Moved(BaseModel):
    """A change of the champion by hand: what `digits promote` and `rollback` print with `--json`.

    `replaced` is the champion before, None where there was none or it was this run; `skipped` has
    the runs that a rollback skipped, and why.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    accuracy: float
    replaced: str | None
    skipped: dict[str, str] = {}


@begins_again
def promote(artifacts: Path, run: str) -> Moved:
    """Make a run the champion by hand; nothing happens if it is already.

    Args:
        artifacts: the artifacts folder.
        run: a folder's name, any unique beginning of it, `latest` or `champion`.

    Raises:
        InputError: no complete run is meant, or its network can't be used.
        WeightsError: its weights are not a list of weight matrices.
    """
    find_run(artifacts, run)  # before the lock's file is made in what is no artifacts folder
    with open_promotions(artifacts) as promotions:
        folder = find_run(artifacts, run)
        load_model(folder)
        accuracy = read_json(folder / METRICS).get("accuracy")
        if not isinstance(accuracy, float):
            raise InputError(f"{folder / METRICS}: damaged. Promote another run.")
        before = promotions.champion
        if before == folder.name:
            return Moved(run=folder.name, accuracy=accuracy, replaced=None)
        promotions.add(folder.name, accuracy, "hand")
        write_index(artifacts, all_runs(artifacts), promotions.champion)
    return Moved(run=folder.name, accuracy=accuracy, replaced=before)


@begins_again
def roll_back(artifacts: Path) -> Moved:
    """Make the previous champion the champion again, skipping runs that can't be used.

    Raises:
        InputError: there is no such run.
    """
    update_runs(artifacts)
    if not (artifacts / CHAMPION).exists():
        raise InputError(f"{shown(artifacts)}: no champion yet, so there is none to roll back.")
    with open_promotions(artifacts) as promotions:
        if promotions.damage:
            raise InputError(f"{promotions.damage}. Choose a champion with: digits promote RUN")
        complete = {folder.name: folder for folder in complete_runs(artifacts)}
        before = promotions.champion
        skipped: dict[str, str] = {}
        for promotion in promotions.before_the_champion():
            if promotion.run not in complete:
                skipped[promotion.run] = "deleted"
                continue
            try:
                download_run(artifacts, promotion.run)
                load_model(complete[promotion.run])
            except (InputError, WeightsError) as error:
                skipped[promotion.run] = str(error)
                continue
            promotions.add(promotion.run, promotion.accuracy, "rollback")
            write_index(artifacts, all_runs(artifacts), promotions.champion)
            return Moved(
                run=promotion.run, accuracy=promotion.accuracy, replaced=before, skipped=skipped
            )
    passed = "".join(f" {run}: {reason.rstrip('.')}." for run, reason in skipped.items())
    raise InputError(
        f"{shown(artifacts)}: no run to return to from {before}.{passed} "
        "List the runs with: digits runs; choose a champion with: digits promote RUN"
    )
