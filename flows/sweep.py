"""The sweep flow: a grid of training settings, ranked by held-out training digits."""

from typing import Annotated, Any

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.deployed_run import check_deployed_run
from flows.empty_form import STARTS_EMPTY
from flows.settings import Settings
from flows.sweep_settings import SweepSettings
from network.gradient_descent import DivergenceError
from tasks.cache.store import SourceFile, StoredFile
from tasks.champion.drift import refuse_drift
from tasks.ingest import ingest
from tasks.report.shell_commands import train_command
from tasks.runs.run import Run
from tasks.shuffle_split import shuffle_split
from tasks.sweep import Swept, best_first, held_out_scores, publish_sweep
from tasks.train import Trained, train
from tasks.training.first_weights import InitialNetwork
from tasks.training.initial_network import find_initial_network
from tasks.training.settings import TrainingSettings


@flow(
    name="sweep", description="Train a grid of settings and rank them by held-out training digits."
)
def sweep(
    settings: Annotated[SweepSettings, Field(json_schema_extra=STARTS_EMPTY)] = SweepSettings(),
) -> Swept:
    """Ingest and split once, train every point of the grid, and rank the networks.

    Networks are trained one after the other, because a training uses two cores itself. Those
    trained before on the same digits and settings come from the cache.

    Args:
        settings: the digits, how to train, and the grid that goes over it.

    Raises:
        DivergenceError: every training diverged.
    """
    check_deployed_run(**settings.files)
    given, artifacts, classes = settings.initial_weights, settings.artifacts, settings.data.classes
    starts = [
        find_initial_network(given, artifacts, training, classes)
        for _, training in settings.points()
    ]
    with Run(settings.artifacts, flow_run.name, settings.refresh) as run:
        ingested = ingest(run, SourceFile.of(settings.csv), settings.data)
        run.check(refuse_drift, ingested.profile, settings.fail_on_drift)
        split = shuffle_split(run, ingested.digits, settings.split, settings.seed)
        held_out_rows = round(settings.training.validation_fraction * split.train_rows)
        results = []
        for (point, training), initial in zip(settings.points(), starts, strict=True):
            trained = _trained(run, split.train, training, settings.seed, initial)
            scores = held_out_scores(run.store, trained, training, held_out_rows)
            results.append({**point, **scores})
        results = best_first(results)
        if results[0]["validation_accuracy"] is None:
            raise DivergenceError(
                "Every training of the grid diverged: try a smaller `learning_rate`."
            )
        command = _command(settings, {name: results[0][name] for name in settings.grid})
        return publish_sweep(run, settings, results, held_out_rows, command)


def _trained(
    run: Run,
    split: StoredFile,
    training: TrainingSettings,
    seed: int,
    initial: InitialNetwork | None,
) -> Trained | None:
    try:
        return train(run, split, training, seed, initial)
    except DivergenceError:  # concerns this point, not the sweep
        return None


def _command(settings: SweepSettings, best: dict[str, Any]) -> str:
    """Return the command that trains with the best settings on all of the training split."""
    training = settings.training.model_dump() | best
    if not training["patience"]:  # with patience, the held-out digits decide when to stop
        training["validation_fraction"] = 0.0
    given = settings.model_dump(exclude={"grid", "training"})
    chosen = Settings.model_validate({**given, "training": training})
    return train_command(chosen.model_dump(mode="json"))
