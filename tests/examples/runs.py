"""Runs of the flow in this process, and the lines of imagined ones."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from flows.settings import Settings
from network.weights import dump_weights
from tasks.digits.classes import DIGITS
from tasks.runs.folders import CHAMPION, MANIFEST
from tasks.runs.model import SavedModel, save_model
from tasks.runs.past_runs import PastRun

if TYPE_CHECKING:
    from tasks.publish import Published

STAGES = ["ingest", "shuffle_split", "train", "evaluate"]


def write_network(folder: Path, weights: list[np.ndarray]) -> None:
    """Write a network of digits into a run's folder, as a run does."""
    new = folder / "new.pkl"
    new.write_bytes(dump_weights(weights))
    side = math.isqrt(weights[0].shape[1] - 1)
    save_model(folder, SavedModel(folder.name, weights, "relu", side, 255, DIGITS), new)
    new.unlink()


def write_champion(artifacts: Path, weights: list[np.ndarray]) -> None:
    """Write a run of an artifacts folder with what its network's users need, as the champion."""
    folder = artifacts / "runs" / "only"
    folder.mkdir(parents=True)
    write_network(folder, weights)
    (folder / MANIFEST).write_text('{"settings": {"data": {}}}')
    (artifacts / CHAMPION).write_text('{"run": "only"}')


def past_run(place: int, accuracy: float = 0.95) -> PastRun:
    """Return the line of an imagined run, one a day."""
    return PastRun(
        run=f"2026-11-{place + 1:02}T03-00-00Z-run",
        started=datetime(2026, 11, place + 1, 3, tzinfo=UTC),
        seconds=1.5,
        csv="data/digits.csv",
        stages=4,
        ran=("train", "evaluate"),
        accuracy=accuracy,
        accuracy_interval=(max(accuracy - 0.02, 0), min(accuracy + 0.02, 1)),
        train_rows=4000,
        test_rows=1000,
        classes=DIGITS,
        verdict="kept",
        evaluate_key="k",
    )


def quick(csv: Path, artifacts: Path) -> Settings:
    """Return settings of a training that takes no time."""
    return Settings.model_validate(
        {"csv": csv, "artifacts": artifacts, "recipe": "classic", "training": {"epochs": 5}}
    )


def plain_figures(patch: pytest.MonkeyPatch) -> None:
    """Let runs in this process draw dots: most tests ask for other things, and drawing is slow."""

    def draw(folder: Path, *_: object, variants: object = None, **__: object) -> None:
        folder.mkdir(exist_ok=True)
        charts, sheets = ("cost", "confusion"), ("predictions", "mistakes", "weights")
        for name in charts + sheets + (("variants",) if variants is not None else ()):
            Image.new("P", (1, 1)).save(folder / f"{name}.png")
        for name in charts:
            (folder / f"{name}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

    patch.setattr("tasks.report.network_figures.draw_network", draw)


def changed(settings: Settings, **changes: Any) -> Settings:
    """Return settings with some fields changed; nested ones as mappings."""
    given = settings.model_dump(exclude_unset=True)
    for name, value in changes.items():
        given[name] = {**given.get(name, {}), **value} if isinstance(value, dict) else value
    return Settings.model_validate(given)


def run(settings: Settings) -> "Published":
    """Run the flow in this process."""
    from flows.retrain import retrain

    return retrain(settings, return_state=True).result()  # type: ignore[no-any-return]


def ran(published: "Published") -> list[str]:
    """Return the stages that ran."""
    return [stage for stage in STAGES if published.stages[stage] == "ran"]


def manifest(published: "Published") -> dict[str, Any]:
    """Return a run's manifest."""
    return json.loads((published.directory / "manifest.json").read_text())  # type: ignore[no-any-return]
