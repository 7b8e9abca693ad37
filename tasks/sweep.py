"""What a sweep leaves: one row a trained network, scored on the digits its training held out.

A sweep never uses the test split: an accuracy on digits that settings were chosen by is too high.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict

from tasks.cache.json_file import write_json
from tasks.cache.store import SourceFile, Store
from tasks.digits.scores import wilson_interval
from tasks.remote.folders import complete_folder, upload_folder
from tasks.report.prefect_page import show_in_prefect
from tasks.report.sweep_report import write_sweep_report
from tasks.runs.folders import SWEEP
from tasks.runs.provenance import provenance
from tasks.runs.run import Run
from tasks.train import Trained
from tasks.training.settings import TrainingSettings


class Swept(BaseModel):
    """A complete sweep, in brief; the object that `digits sweep --json` prints."""

    model_config = ConfigDict(frozen=True)

    sweep: str
    directory: Path
    held_out_rows: int
    results: list[dict[str, Any]]  # best first; those that diverged last, with null figures
    command: str  # trains on all of the training split with the best settings


def held_out_scores(
    store: Store,
    folds: Sequence[Trained | Exception],
    training: TrainingSettings,
    held_out_rows: int,
) -> dict[str, float | int | None]:
    """Return a point's scores on all the digits that its trainings held out, one fold each.

    Args:
        store: where the network is.
        folds: the network of each fold, or why there is none: its cost diverged.
        training: their settings. With patience the weights are those of the least validation cost,
            so that epoch is scored; without, the last.
        held_out_rows: the number of digits that each fold held out.
    """
    kept = []
    for trained in folds:
        if isinstance(trained, Exception):
            figures = ("validation_accuracy", "interval_low", "interval_high", "validation_cost")
            return dict.fromkeys((*figures, "epochs_trained"))
        history = pd.read_parquet(store.path(trained.history))
        kept.append(history.iloc[history["validation_cost"].argmin() if training.patience else -1])
    scores = pd.DataFrame(kept).mean()  # over all held-out digits, as each fold has as many
    accuracy, rows = float(scores["validation_accuracy"]), held_out_rows * len(folds)
    low, high = wilson_interval(round(accuracy * rows), rows)
    return {
        "validation_accuracy": accuracy,
        "interval_low": low,
        "interval_high": high,
        "validation_cost": float(scores["validation_cost"]),
        "epochs_trained": round(scores["epoch"]),
    }


def best_first(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Order results by accuracy, then by cost; those without figures come last."""

    def rank(result: Mapping[str, Any]) -> tuple[bool, float, float]:
        accuracy, cost = result["validation_accuracy"], result["validation_cost"]
        return accuracy is None, -(accuracy or 0.0), cost or 0.0

    return [dict(result) for result in sorted(results, key=rank)]


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_sweep(
    run: Run,
    source: SourceFile,
    settings: BaseModel,
    results: list[dict[str, Any]],
    held_out_rows: int,
    command: str,
) -> Swept:
    """Write the sweep's folder, which appears whole or not at all, and show it in Prefect.

    Args:
        run: the sweep.
        source: the data.
        settings: of the sweep.
        results: one a point, with its scores, the best first; it did not diverge.
        held_out_rows: the number of digits they were scored on.
        command: trains with the best settings.
    """
    sweeps = run.store.folder / "sweeps"
    sweeps.mkdir(parents=True, exist_ok=True)
    account = {
        "sweep": run.name,
        "seconds": round(run.seconds, 3),
        "held_out_rows": held_out_rows,
        "command": command,
        "source": source.model_dump(mode="json"),
        "settings": settings.model_dump(mode="json"),
        **provenance(),
    }
    with tempfile.TemporaryDirectory(prefix=".new-", dir=sweeps) as scratch:
        folder = Path(scratch) / run.name
        folder.mkdir()
        table = [_flat(result) for result in results]
        pd.DataFrame(table).to_csv(folder / "results.csv", index=False)
        report = write_sweep_report(folder, account, results)
        write_json(folder / SWEEP, account)
        folder.rename(sweeps / run.name)
    upload_folder(run.store.folder, f"sweeps/{run.name}", SWEEP)
    complete_folder(run.store.folder, f"sweeps/{run.name}", SWEEP)
    show_in_prefect(run.name, {"sweep-report": report}, {"sweep": table})
    return Swept(
        sweep=run.name,
        directory=sweeps / run.name,
        held_out_rows=held_out_rows,
        results=results,
        command=command,
    )


def _flat(result: Mapping[str, Any]) -> dict[str, Any]:
    """Write lists, such as layers, as people do: 300 100."""
    return {
        name: " ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in result.items()
    }
