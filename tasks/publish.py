"""The last step, never cached: the champion decision, the run's folder, what Prefect shows."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import State, Task, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from tasks.cache.store import SourceFile
from tasks.champion import judgement as champion
from tasks.champion.data_watch import watch_data
from tasks.champion.drift import PROFILE
from tasks.champion.promotions import promotions
from tasks.digits.profile import Profile
from tasks.digits.table import read_digits
from tasks.evaluate import Evaluated
from tasks.ingest import Ingested
from tasks.report.index_page import write_index
from tasks.report.run_figures import draw_surroundings
from tasks.runs.folders import MANIFEST, point_latest, read_json
from tasks.runs.past_runs import past_runs, summary
from tasks.runs.provenance import provenance
from tasks.runs.run import Run
from tasks.shuffle_split import Split
from tasks.train import Trained
from tasks.training.settings import PromotionSettings
from tasks.write_run_folder import write_run_folder

_RUNS_SHOWN = 10  # earlier ones in the chart of accuracies


class Published(BaseModel):
    """A complete run, in brief; the object that `digits train --json` prints."""

    model_config = ConfigDict(frozen=True)

    run: str
    directory: Path
    accuracy: float
    train_rows: int
    test_rows: int
    verdict: str
    stages: dict[str, str]


def _may_help_to_retry(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    # A disk on a network may answer the next time; a file that is wrong stays wrong.
    return isinstance(state.result(raise_on_failure=False), OSError)


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=1,
    retry_delay_seconds=2,
    retry_condition_fn=_may_help_to_retry,
)
def publish(
    run: Run,
    settings: BaseModel,
    promotion: PromotionSettings,
    csv: SourceFile,
    initial_weights: SourceFile | None,
    ingested: Ingested,
    split: Split,
    trained: Trained,
    evaluated: Evaluated,
) -> Published:
    """Write the run's folder, decide on the champion, and leave the report in Prefect."""
    store, artifacts = run.store, run.store.folder
    folder = artifacts / "runs" / run.name
    if not (folder / MANIFEST).exists():
        shutil.rmtree(folder, ignore_errors=True)  # of a first try that failed
    train, test = read_digits(store.path(split.train)), read_digits(store.path(split.test))
    profile = Profile.model_validate(read_json(store.path(ingested.profile)))
    predictions = pd.read_parquet(store.path(evaluated.predictions))
    evaluation = read_json(store.path(evaluated.evaluation))
    told = {
        "started": f"{run.started:%Y-%m-%dT%H:%M:%SZ}",
        "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seconds": round(run.seconds, 3),
        "settings": settings.model_dump(mode="json"),
        "source": csv.model_dump(mode="json"),
        "initial_weights": initial_weights and initial_weights.model_dump(mode="json"),
        "stages": {stage.key.stage: stage.described() for stage in run.stages},
        **provenance(),
        "flow_run_id": flow_run.id,
    }
    # Runs that end together publish in turn: each is judged against the one promoted before it.
    with promotions(artifacts) as history:
        decision = champion.judge(
            artifacts,
            history,
            test,
            predictions["prediction"].to_numpy(),
            promotion,
            nothing_new=run.nothing_new
            and champion.judged_before(artifacts, history, run.stages[-1].key.digest),
        )
        data = watch_data(artifacts, history.champion, profile, train, test)
        verdict = {"verdict": decision.verdict, "verdict_reason": decision.reason}
        drift = {"drift": data.drift and data.drift.level}
        manifest = {"run": run.name, **verdict, **drift, **told}
        metrics = {
            **evaluation,
            "champion": decision.comparison and decision.comparison.model_dump(),
            "data": data.told(),
        }
        folder.mkdir(parents=True)  # fails where another run has the name, before it is harmed
        try:
            shutil.copyfile(store.path(ingested.profile), folder / PROFILE)
            draw_surroundings(
                folder / "figures",
                runs=[*past_runs(artifacts, _RUNS_SHOWN)[::-1], summary(manifest, metrics)],
                champion=history.champion,
                profile=profile,
                before=data.before,
            )
            report = write_run_folder(folder, manifest, metrics, store, trained, evaluated, test)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        point_latest(artifacts)
        if decision.verdict == "promoted":
            history.add(run.name, evaluation["accuracy"], "run")
        write_index(artifacts, history.champion)
    create_markdown_artifact(report, key="retraining-report", description=run.name)
    create_table_artifact(metrics["per_digit"], key="per-digit", description=run.name)
    return Published(
        run=run.name,
        directory=folder,
        accuracy=evaluation["accuracy"],
        train_rows=split.train_rows,
        test_rows=split.test_rows,
        verdict=decision.verdict,
        stages={stage.key.stage: stage.state for stage in run.stages},
    )
