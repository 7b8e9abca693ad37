"""Sweeps: every point of a grid is trained and judged on held-out training digits."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from flows.sweep_settings import HELD_OUT, SweepSettings
from tasks.sweep import best_first


def test_a_grid_is_every_combination() -> None:
    """Points are the product of the lists, laid over the recipe and the given options."""
    settings = SweepSettings.model_validate(
        {"recipe": "classic", "training": {"epochs": 7}, "grid": {"l2": [0, 1], "momentum": [0.5]}}
    )
    points = list(settings.points())
    assert [point for point, _ in points] == [
        {"l2": 0, "momentum": 0.5},
        {"l2": 1, "momentum": 0.5},
    ]
    for point, training in points:
        assert (training.l2, training.momentum) == (point["l2"], point["momentum"])
        assert (training.epochs, training.hidden_layers) == (7, (40,))
        assert training.validation_fraction == HELD_OUT


@pytest.mark.parametrize(
    "given",
    [
        {"grid": {}},
        {"grid": {"l2": []}},
        {"grid": {"l2": [-1]}},
        {"grid": {"colour": ["red"]}},
        {"grid": {"validation_fraction": [0.1, 0.2]}},
        {"grid": "{'l2': 1}"},
        {"training": {"validation_fraction": 0}},
    ],
    ids=str,
)
def test_a_grid_that_can_not_be_judged_is_refused(given: dict[str, Any]) -> None:
    """Nothing is trained for a grid with a value out of range or without digits to judge on."""
    with pytest.raises(ValidationError):
        SweepSettings.model_validate(given)


def test_the_best_is_first_and_the_diverged_last() -> None:
    """Accuracy decides, then cost; a network that diverged has neither."""
    results = [
        {"point": "diverged", "validation_accuracy": None, "validation_cost": None},
        {"point": "second", "validation_accuracy": 0.9, "validation_cost": 0.5},
        {"point": "third", "validation_accuracy": 0.8, "validation_cost": 0.1},
        {"point": "first", "validation_accuracy": 0.9, "validation_cost": 0.4},
    ]
    assert [one["point"] for one in best_first(results)] == ["first", "second", "third", "diverged"]


def test_a_sweep_ranks_its_points_and_never_reads_the_test_split(
    digits: Any, small_csv: Path, server: str, tmp_path: Path
) -> None:
    """The table holds every point, best first; no stage after training has left anything."""
    grid = {"learning_rate": [0.001, 1.0, 1e6], "hidden_layers": [[]]}
    result = digits(
        *("sweep", "--csv", small_csv, "--recipe", "classic", "--epochs", 30, "--json"),
        *("--grid", json.dumps(grid)),
        PREFECT_API_URL=server,
    )
    assert result.returncode == 0, result.stderr
    swept = json.loads(result.stdout)
    assert [one["learning_rate"] for one in swept["results"]] == [1.0, 0.001, 1e6]
    assert swept["held_out_rows"] == 32
    assert "--learning-rate 1.0" in swept["command"]
    assert "--validation-fraction 0.0" in swept["command"]
    folder = tmp_path / swept["directory"]
    assert list(pd.read_csv(folder / "results.csv")["learning_rate"]) == [1.0, 0.001, 1e6]
    assert json.loads((folder / "sweep.json").read_text())["settings"]["grid"] == grid
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "no half-written one"
    assert not list((tmp_path / "artifacts/store").glob("predictions-*.parquet"))
