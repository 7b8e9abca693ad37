"""The retraining flow: from a CSV of digits to a published network."""

from typing import NamedTuple

from prefect import State, flow
from prefect.runtime import flow_run
from prefect.states import Completed

from flows.announce import announce, announce_failure
from flows.settings import Settings
from tasks.cache.store import SourceFile
from tasks.champion.drift import refuse_drift
from tasks.digits.classes import image_noun
from tasks.evaluate import Evaluated, evaluate
from tasks.ingest import Ingested, ingest
from tasks.publish import Published, publish
from tasks.runs.plan import Plan
from tasks.runs.run import Run
from tasks.shuffle_split import Split, shuffle_split
from tasks.train import Trained, train
from tasks.training.initial_network import find_initial_weights, stands_for_other_labels


@flow(
    name="retrain",
    description="Train a network on a CSV of digits and publish what came of it.",
    # No retries here: they could not tell bad input from a bad day, as those of the tasks do.
    on_failure=[announce_failure],
    on_crashed=[announce_failure],
)
def retrain(settings: Settings = Settings()) -> State[Published]:
    """Ingest, split, train, evaluate, publish; only what changed is run again.

    Args:
        settings: The digits, the network, its training, and where it all goes.

    Returns:
        Completed, named by the verdict: Promoted, Kept or Unchanged.
    """
    with Run(settings.artifacts, flow_run.name, settings.refresh) as run:
        published = publish(run, settings, settings.promotion, *stages(run, settings))
    announce(
        published.verdict,
        published.run,
        accuracy=published.accuracy,
        directory=published.directory,
    )
    return Completed(
        name=published.verdict.capitalize(),
        message=f"{published.accuracy:.1%} of {published.test_rows:,} test "
        f"{image_noun(settings.data.classes)}s read right",
        data=published,
    )


class Stages(NamedTuple):
    """What the stages made, for a run to publish."""

    csv: SourceFile
    initial_weights: SourceFile | None
    ingested: Ingested
    split: Split
    trained: Trained
    evaluated: Evaluated


def stages(run: Run | Plan, settings: Settings) -> Stages:
    """Walk through the stages, with a run that performs them or a plan that foresees them."""
    csv = SourceFile.of(settings.csv)
    initial = find_initial_weights(settings.initial_weights, settings.artifacts, settings.training)
    ingested = ingest(run, csv, settings.data)
    run.check(refuse_drift, ingested.profile, settings.fail_on_drift)
    split = shuffle_split(run, ingested.digits, settings.split, settings.seed)
    new_outputs = stands_for_other_labels(initial, settings.data.classes)
    trained = train(run, split.train, settings.training, settings.seed, initial, new_outputs)
    evaluated = evaluate(
        run,
        trained.weights,
        trained.history,
        split.train,
        split.test,
        trained.activation,
        settings.training.l2,
        settings.training.distortion,
    )
    return Stages(csv, initial, ingested, split, trained, evaluated)
