"""The last step, never cached: the champion decision, the run's folder, what Prefect shows."""

import logging
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict

from network.weights import load_weights
from tasks.cache.json_file import write_json
from tasks.cache.prefect_task import may_pass
from tasks.cache.store import Store
from tasks.champion import judgement
from tasks.champion.data_watch import DataWatch, watch_data
from tasks.champion.drift import PROFILE
from tasks.champion.judgement import Decision, PromotionSettings
from tasks.champion.promotions import Promotions, begins_again, open_promotions
from tasks.digits.profile import Profile
from tasks.digits.table import read_info
from tasks.remote.results import upload_result
from tasks.report.index_page import write_index
from tasks.report.prefect_page import show_in_prefect
from tasks.report.report import write_report
from tasks.report.run_figures import draw_run
from tasks.runs.folders import MANIFEST, METRICS, point_latest, read_json
from tasks.runs.manifest import write_manifest
from tasks.runs.model import SavedModel, save_model
from tasks.runs.past_runs import DamagedRun, PastRun, all_runs, summary, whole, with_latest
from tasks.runs.provenance import provenance
from tasks.runs.run import Run
from tasks.runs.shared_runs import complete_run, upload_run
from tasks.stage_outputs import StageOutputs

logger = logging.getLogger(__name__)

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


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=1,
    retry_delay_seconds=2,
    retry_condition_fn=may_pass,
)
@begins_again
def publish(
    run: Run, settings: BaseModel, promotion: PromotionSettings, outputs: StageOutputs
) -> Published:
    """Decide on the champion, write the run's folder, and leave the report in Prefect.

    Args:
        run: the run, its stages done.
        settings: all of the run's, for its manifest.
        promotion: how much better than the champion the network must be.
        outputs: what the stages made.
    """
    store, artifacts = run.store, run.store.folder
    folder = artifacts / "runs" / run.name
    account = _account(run, settings, outputs)
    evaluation = read_json(store.path(outputs.evaluated.evaluation))
    # Runs that end together publish in turn: each is compared with the one promoted before it.
    with open_promotions(artifacts) as promotions:
        _clear_failed_try(folder, promotions)
        earlier = list(all_runs(artifacts))
        decision = _decide(run, promotions, promotion, whole(earlier), outputs)
        data = _watch(store, promotions, outputs)
        manifest = {
            "run": run.name,
            "verdict": decision.verdict,
            "verdict_reason": decision.reason,
            "drift": data.drift and data.drift.level,
            **account,
        }
        metrics = {
            **evaluation,
            "champion": decision.comparison and decision.comparison.model_dump(),
            "data": data.described(),
        }
        folder.mkdir(parents=True)  # fails where another run has the name, before it is harmed
        try:
            _copy_outputs(folder, store, outputs)
            save_model(folder, _model(run, outputs), store.path(outputs.trained.weights))
            write_json(folder / METRICS, metrics)
            latest = summary(manifest, metrics)
            runs = [*whole(earlier)[:_RUNS_SHOWN][::-1], latest]
            draw_run(
                folder / "figures",
                runs=runs,
                champion=promotions.champion,
                profile=data.profile,
                before=data.before,
            )
            report = write_report(folder, manifest, metrics, runs)
            write_manifest(folder, manifest)
            for stage in run.stages:
                upload_result(store, stage.key.digest, is_new=False)  # if it was pruned meanwhile
            upload_run(artifacts, run.name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if decision.verdict == "promoted":
            promotions.add(run.name, evaluation["accuracy"], "run")
        complete_run(artifacts, run.name)
        _update_overviews(artifacts, with_latest(latest, earlier), promotions.champion)
    show_in_prefect(run.name, {"retraining-report": report}, {"per-digit": metrics["per_digit"]})
    return Published(
        run=run.name,
        directory=folder,
        accuracy=evaluation["accuracy"],
        train_rows=outputs.split.train_rows,
        test_rows=outputs.split.test_rows,
        verdict=decision.verdict,
        stages={stage.name: stage.state for stage in run.stages},
    )


def _clear_failed_try(folder: Path, promotions: Promotions) -> None:
    """Remove what a failed first try of this flow run left; the folder of another run stays."""
    manifest = folder / MANIFEST
    if manifest.exists() and (
        read_json(manifest).get("flow_run_id") != flow_run.id
        or any(promotion.run == folder.name for promotion in promotions.entries)
    ):
        return
    shutil.rmtree(folder, ignore_errors=True)


def _update_overviews(
    artifacts: Path, runs: Sequence[PastRun | DamagedRun], champion: str | None
) -> None:
    """Update `latest` and `index.html`; the run is complete, whatever has their names."""
    index = partial(write_index, artifacts, runs, champion)
    for update in (partial(point_latest, artifacts), index):
        try:
            update()
        except OSError as error:
            logger.warning(
                "%s: can't be updated: %s", error.filename2 or error.filename or artifacts, error
            )


def _account(run: Run, settings: BaseModel, outputs: StageOutputs) -> dict[str, Any]:
    """Return what the manifest says of the run that the champion has no part in."""
    initial = outputs.initial_weights
    return {
        "started": f"{run.started:%Y-%m-%dT%H:%M:%SZ}",
        "finished": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seconds": round(run.seconds, 3),
        "settings": settings.model_dump(mode="json"),
        "source": outputs.csv.model_dump(mode="json"),
        "initial_weights": initial and initial.model_dump(mode="json"),
        "stages": {stage.name: stage.described() for stage in run.stages},
        **provenance(),
        "flow_run_id": flow_run.id,
    }


def _decide(
    run: Run,
    promotions: Promotions,
    limits: PromotionSettings,
    earlier: Sequence[PastRun],
    outputs: StageOutputs,
) -> Decision:
    artifacts = run.store.folder
    # `pq.read_table` and `to_numpy` import pandas, which is slow.
    with pq.ParquetFile(run.store.path(outputs.evaluated.predictions)) as file:
        column = file.read(["prediction"])["prediction"].combine_chunks()
    evaluate_key = run.stages[-1].key.digest
    return judgement.judge(
        artifacts,
        promotions,
        run.store.path(outputs.split.test),
        np.from_dlpack(column),
        limits,
        nothing_new=run.nothing_new and judgement.judged_before(earlier, promotions, evaluate_key),
    )


def _watch(store: Store, promotions: Promotions, outputs: StageOutputs) -> DataWatch:
    profile = Profile.model_validate(read_json(store.path(outputs.ingested.profile)))
    train, test = store.path(outputs.split.train), store.path(outputs.split.test)
    return watch_data(store.folder, promotions.champion, profile, train, test)


def _model(run: Run, outputs: StageOutputs) -> SavedModel:
    test = read_info(run.store.path(outputs.split.test))
    return SavedModel(
        run=run.name,
        weights=load_weights(run.store.path(outputs.trained.weights)),
        activation=outputs.trained.activation,
        shifts=outputs.evaluated.shifts,
        image_side=test.image_side,
        pixel_max=test.pixel_max,
        classes=test.classes,
    )


def _copy_outputs(folder: Path, store: Store, outputs: StageOutputs) -> None:
    """Copy what stages made for people to see: the data's profile and the network's figures."""
    shutil.copyfile(store.path(outputs.ingested.profile), folder / PROFILE)
    (folder / "figures").mkdir()
    for name, figure in outputs.evaluated.figures.items():
        shutil.copyfile(store.path(figure), folder / "figures" / name)
