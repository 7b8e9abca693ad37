"""The sweep flow: a grid of training settings, ranked by held-out training digits."""

from collections.abc import Sequence
from itertools import chain, islice
from typing import Annotated, Any

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.before_training import check_before_training
from flows.empty_form import STARTS_EMPTY
from flows.settings import Settings
from flows.sweep_settings import SweepSettings
from flows.task_runner import runner_for
from flows.train_network import calls_of_members, merge_if_several
from network.gradient_descent import DivergenceError
from tasks.cache.store import SourceFile, StoredFile
from tasks.champion.drift import refuse_drift
from tasks.errors import DataError
from tasks.fold import fold
from tasks.ingest import ingest
from tasks.report.shell_commands import train_command
from tasks.runs.run import Run
from tasks.shuffle_split import Split, shuffle_split
from tasks.sweep import Swept, best_first, held_out_scores, publish_sweep
from tasks.train import Trained, train
from tasks.training.first_weights import InitialNetwork
from tasks.training.initial_network import find_initial_network
from tasks.training.progress import progress_of_several
from tasks.training.settings import TrainingSettings


@flow(
    name="sweep", description="Train a grid of settings and rank them by held-out training digits."
)
def sweep(
    settings: Annotated[SweepSettings, Field(json_schema_extra=STARTS_EMPTY)] = SweepSettings(),
) -> Swept:
    """Ingest and split once, train every point of the grid, and rank the networks.

    Networks are trained side by side where there are cores for it. Those trained before on the same
    digits and settings come from the cache.

    Args:
        settings: the digits, how to train, and the grid that goes over it.

    Raises:
        DivergenceError: every training diverged.
    """
    check_before_training(settings)
    given, artifacts, classes = settings.initial_weights, settings.artifacts, settings.data.classes
    points = list(settings.points())
    trainings = [training for _, training in points]
    starts = [find_initial_network(given, artifacts, training, classes) for training in trainings]
    runners = runner_for(settings, trainings)
    with Run(settings.artifacts, flow_run.name, settings.refresh, runners) as run:
        source = SourceFile.of(settings.csv)
        ingested = ingest(run, source, settings.data)
        run.check(refuse_drift, ingested.profile, settings.fail_on_drift)
        split = shuffle_split(run, ingested.digits, settings.split, settings.seed)
        held_out_rows, parts = _held_out_parts(run, split, settings)
        if settings.folds > 1:
            fraction = {"validation_fraction": held_out_rows / split.train_rows}
            trainings = [training.model_copy(update=fraction) for training in trainings]
        networks = _train_all(run, parts, trainings, starts, settings.seed)
        results = [
            {**point, **held_out_scores(run.store, folds, training, held_out_rows)}
            for (point, training), folds in zip(points, networks, strict=True)
        ]
        results = best_first(results)
        if results[0]["validation_accuracy"] is None:
            raise DivergenceError(
                "Every training of the grid diverged: try a smaller `learning_rate`."
            )
        command = _command(settings, {name: results[0][name] for name in settings.grid})
        return publish_sweep(run, source, settings, results, held_out_rows * len(parts), command)


def _held_out_parts(
    run: Run, split: Split, settings: SweepSettings
) -> tuple[int, list[StoredFile]]:
    """Return how many digits a training holds out, and the training split in the order of each.

    Raises:
        DataError: there are more folds than digits.
    """
    folds = settings.folds
    if folds < 2:
        return round(settings.training.validation_fraction * split.train_rows), [split.train]
    held_out_rows = split.train_rows // folds
    if held_out_rows == 0:
        raise DataError(
            f"`folds` {folds}: the training split has {split.train_rows} digits. Give at most as "
            "many folds, or add rows."
        )
    numbers = range(folds)
    return held_out_rows, [fold(run, split.train, held_out_rows, each).train for each in numbers]


def _train_all(
    run: Run,
    parts: Sequence[StoredFile],
    trainings: Sequence[TrainingSettings],
    starts: Sequence[InitialNetwork | None],
    seed: int,
) -> list[list[Trained | Exception]]:
    """Train on every part with the settings of every point, side by side.

    Returns:
        For each point a network a part, or the error where its cost diverged: that concerns the
        point, not the sweep.
    """
    calls = [
        calls_of_members(part, training, seed, initial)
        for training, initial in zip(trainings, starts, strict=True)
        for part in parts
    ]
    members = iter(
        run.perform_all(train, list(chain(*calls)), progress_of_several, DivergenceError)
    )
    return [
        [merge_if_several(run, list(islice(members, training.members))) for _ in parts]
        for training in trainings
    ]


def _command(settings: SweepSettings, best: dict[str, Any]) -> str:
    """Return the command that trains with the best settings on all of the training split."""
    training = settings.training.model_dump() | best
    if not training["patience"]:  # with patience, the held-out digits decide when to stop
        training["validation_fraction"] = 0.0
    given = settings.model_dump(exclude={"grid", "samples", "folds", "training", "workers", "dask"})
    chosen = Settings.model_validate({**given, "training": training})
    return train_command(chosen.model_dump(mode="json"))
