"""The retraining flow: from a CSV of digits to a published network."""

from typing import Annotated

from prefect import State, flow
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field

from flows.announce import announce, announce_failure
from flows.before_training import check_before_training
from flows.empty_form import STARTS_EMPTY
from flows.settings import Settings
from flows.stages import stages
from flows.task_runner import runner_for
from tasks.digits.classes import image_noun
from tasks.publish import Published, publish
from tasks.runs.run import Run, no_runner


@flow(
    name="retrain",
    description="Train a network on a CSV of digits and publish the result.",
    # No retries here: they would repeat bad input too, and those of the tasks do not.
    on_failure=[announce_failure],
    on_crashed=[announce_failure],
)
def retrain(
    settings: Annotated[Settings, Field(json_schema_extra=STARTS_EMPTY)] = Settings(),
) -> State[Published]:
    """Ingest, split, train, evaluate, publish; only what changed is run again.

    Args:
        settings: The digits, the network, its training, and where it all goes.

    Returns:
        Completed, named by the verdict: Promoted, Kept or Unchanged.
    """
    check_before_training(settings)
    # Where it has partitions, each training uses the cluster itself.
    is_partitioned = settings.dask and settings.training.partitions
    runners = no_runner if is_partitioned else runner_for(settings, [settings.training])
    with Run(settings.artifacts, flow_run.name, settings.refresh, runners) as run:
        published = publish(run, settings, settings.promotion, stages(run, settings))
    announce(
        published.verdict,
        published.run,
        accuracy=published.accuracy,
        directory=published.directory,
    )
    return Completed(
        name=published.verdict.capitalize(),
        message=f"{published.accuracy:.1%} of {published.test_rows:,} test "
        f"{image_noun(settings.data.classes)}s recognised",
        data=published,
    )
