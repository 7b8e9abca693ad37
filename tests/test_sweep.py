"""Sweeps: every point of a grid is trained and judged on held-out training digits."""

import importlib
import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pandas as pd
import pytest
from examples.digits import easy_digits, write_digits
from examples.real_runs import WARM
from pydantic import ValidationError

from flows.dask_cluster import check_dask
from flows.sweep_settings import HELD_OUT, SweepSettings, drawn_places
from tasks.cache.store import Store
from tasks.digits.scores import wilson_interval
from tasks.digits.table import read_digits
from tasks.errors import InputError
from tasks.fold import fold
from tasks.sweep import best_first, held_out_scores
from tasks.train import Trained
from tasks.training import fit as fitting
from tasks.training.settings import TrainingSettings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

    from tasks.sweep import Swept


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


def test_more_samples_only_add_points() -> None:
    """Drawn once each by the seed, in the grid's order; all of them are the whole grid."""
    grid = {"l2": [0, 1, 2], "momentum": [0.1, 0.3, 0.5, 0.7], "epochs": [1, 2]}

    def drawn(samples: int, seed: int = 0) -> list[dict[str, Any]]:
        given = {"grid": grid, "samples": samples, "seed": seed}
        return [point for point, _ in SweepSettings.model_validate(given).points()]

    whole = drawn(0)
    assert len(whole) == 24
    for samples in range(1, 24):
        fewer, more = drawn(samples), drawn(samples + 1)
        assert len(fewer) == samples
        assert [point for point in whole if point in more and point in fewer] == fewer
    assert more == whole
    assert drawn(8) == drawn(8) != drawn(8, seed=1)


def test_samples_are_even() -> None:
    """Every combination is drawn as often as any other, up to chance, of however many."""
    counts = Counter(place for seed in range(600) for place in drawn_places(6, 2, seed))
    assert sorted(counts) == list(range(6))
    assert all(150 <= times <= 250 for times in counts.values()), "200 are expected"
    assert len(set(drawn_places(10**15, 50, 0))) == 50


def test_more_samples_than_combinations_are_refused() -> None:
    """The error says how many there are."""
    with pytest.raises(ValidationError, match="the grid has 6 combinations"):
        SweepSettings.model_validate({"grid": {"l2": [0, 1, 2], "epochs": [1, 2]}, "samples": 7})


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
        {"samples": -1},
        {"dask": "0"},
        {"dask": "127.0.0.1:8786"},
    ],
    ids=str,
)
def test_a_grid_that_can_not_be_judged_is_refused(given: dict[str, Any]) -> None:
    """Nothing is trained for a grid with a value out of range or without digits to judge on."""
    with pytest.raises(ValidationError):
        SweepSettings.model_validate(given)


def test_as_many_are_trained_at_once_as_cores_can_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training counts with the threads it keeps busy, the points of a grid with the most."""
    from flows import task_runner

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    monkeypatch.setattr(task_runner, "task_runner", lambda workers, dask, calls: workers)
    small = {"distortion": 0, "batch_size": 32}
    for given, grid, at_once in (
        (small, {"l2": [0, 1]}, 8),
        ({}, {"l2": [0, 1]}, 4),  # one thread distorts
        (small, {"batch_size": [32, 64]}, 4),
        (small, {"threads": [1, 64]}, 8),
        (small, {"batch_size": [0], "threads": [3]}, 2),
        (small, {"batch_size": [1023], "threads": [8]}, 2),  # three shards of 256 and more
        (small, {"batch_size": [0], "threads": [16]}, 1),
        (small, {"batch_size": [0], "partitions": [1], "threads": [4]}, 8),
    ):
        settings = SweepSettings.model_validate({"training": given, "grid": grid})
        trainings = [training for _, training in settings.points()]
        assert task_runner.runner_for(settings, trainings)(100) == at_once, (given, grid)
    chosen = settings.model_copy(update={"workers": 3})
    assert task_runner.runner_for(chosen, trainings)(100) == 3


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
    assert "Best of 3 points" in (folder / "report.md").read_text()
    asked = {"artifacts": {"key": {"any_": ["sweep-report", "sweep"]}}}
    shown = {
        artifact["key"]: artifact["data"]
        for artifact in httpx.post(f"{server}/artifacts/filter", json=asked).json()
        if artifact["description"] == swept["sweep"]
    }
    assert shown["sweep-report"].startswith("# Best of 3 points")
    assert [row["learning_rate"] for row in json.loads(shown["sweep"])] == [1.0, 0.001, 1e6]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "no half-written one"
    assert not list((tmp_path / "artifacts/store").glob("predictions-*.parquet"))


GRID = {"learning_rate": [0.001, 1.0, 1e6], "hidden_layers": [[]]}


def swept(csv: Path, artifacts: Path, **changes: Any) -> "Swept":
    """Sweep in this process, or in workers that are forked off one with its imports done."""
    from flows.sweep import sweep

    training = {"epochs": 30, **changes.pop("training", {})}
    given = {"csv": csv, "artifacts": artifacts, "recipe": "classic", "grid": GRID}
    return sweep(SweepSettings.model_validate({**given, "training": training, **changes}))


def test_folds_hold_out_every_digit_once(tmp_path: Path) -> None:
    """Each has the others' digits first, in their order, and its own last; none is lost."""
    store = Store(folder=tmp_path)
    store.prepare()
    with store.scratch() as scratch:
        given = easy_digits(11)
        write_digits(given, scratch / "train.parquet")
        split = store.keep(scratch / "train.parquet")
    images = [image.tobytes() for image in given.pixels]
    held_out = []
    for number in range(3):
        moved = read_digits(store.path(fold.function(store, split, 3, number).train))
        order = [images.index(image.tobytes()) for image in moved.pixels]
        assert (moved.labels == given.labels[order]).all()
        assert sorted(order) == list(range(11))
        assert order[:-3] == sorted(order[:-3])
        held_out += order[-3:]
    assert held_out == [8, 9, 10, 5, 6, 7, 2, 3, 4]


def test_scores_are_those_on_all_held_out_digits(tmp_path: Path) -> None:
    """The mean of the folds, with the interval of all their digits; one diverged is a point's."""
    store = Store(folder=tmp_path)
    store.prepare()
    folds = []
    for accuracy in (0.8, 0.9):
        with store.scratch() as scratch:
            row = {"epoch": [3], "validation_accuracy": [accuracy], "validation_cost": [accuracy]}
            pd.DataFrame(row).to_parquet(scratch / "history.parquet")
            history = store.keep(scratch / "history.parquet")
        folds.append(Trained(weights=history, history=history, activation="relu"))
    scores = held_out_scores(store, folds, TrainingSettings(), 100)
    low, high = wilson_interval(170, 200)
    assert scores["validation_accuracy"] == pytest.approx(0.85)
    assert scores["validation_cost"] == pytest.approx(0.85)
    assert (scores["interval_low"], scores["interval_high"]) == (low, high)
    assert scores["epochs_trained"] == 3
    diverged = held_out_scores(store, [folds[0], ValueError()], TrainingSettings(), 100)
    assert set(diverged.values()) == {None}


def test_each_point_is_trained_on_each_fold(
    small_csv: Path, server: str, tmp_path: Path, warm_workers: None
) -> None:
    """Scores are on the digits of all the folds; the command is that of one training."""
    grid = {"learning_rate": [0.5, 1.0], "hidden_layers": [[]]}
    one = swept(small_csv, tmp_path, workers=1, folds=3, grid=grid, training={"epochs": 2})
    assert one.held_out_rows == 159
    assert "--folds" not in one.command
    assert len(list(tmp_path.glob("store/weights-*.pkl"))) == 6


@pytest.fixture
def warm_workers(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fork the workers of a process pool off a process that has all imports done."""
    from prefect.context import refresh_global_settings_context

    monkeypatch.setattr(multiprocessing, "get_context", lambda _: WARM)
    monkeypatch.setenv("PREFECT_API_URL", server)
    refresh_global_settings_context()  # the threads that pass messages on know no other
    yield
    monkeypatch.undo()
    refresh_global_settings_context()


def left_behind(artifacts: Path) -> dict[str, bytes]:
    """Return the sweep's table and all that is in the store, by name."""
    files = [*artifacts.glob("sweeps/*/results.csv"), *artifacts.glob("store/[!.]*")]
    return {path.name: path.read_bytes() for path in files}


def die_once(marker: Path) -> None:
    """Prepare a worker as the sweep does; the first to train is killed in the midst of it."""
    from flows.task_runner import prepare_worker

    prepare_worker()
    fit = fitting.fit

    def fit_or_die(*arguments: Any) -> Any:
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return fit(*arguments)
        time.sleep(0.2)  # what it has sent to its starter has arrived
        os.kill(os.getpid(), signal.SIGKILL)

    fitting.fit = fit_or_die


def test_workers_leave_the_same_bytes_even_if_one_is_killed(
    small_csv: Path,
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    warm_workers: None,
) -> None:
    """A killed worker costs time, a diverged point is a row, and every file is the same."""
    from prefect.task_runners import ProcessPoolTaskRunner

    def runner(workers: int, dask: str, calls: int) -> "TaskRunner[Any]":
        assert (workers, dask, calls) == (2, "", 3)
        return ProcessPoolTaskRunner(2, initializer=die_once, initargs=(tmp_path / "killed",))

    swept(small_csv, tmp_path / "alone", workers=1)
    monkeypatch.setattr("flows.task_runner.task_runner", runner)
    swept(small_csv, tmp_path / "workers", workers=2)
    assert (tmp_path / "killed").exists()
    assert left_behind(tmp_path / "workers") == left_behind(tmp_path / "alone")


def test_a_dask_cluster_leaves_the_same_bytes(
    small_csv: Path, tmp_path: Path, warm_workers: None
) -> None:
    """Two workers of a local cluster make the table and the files that this process makes."""
    import dask

    importlib.import_module("distributed")  # its own settings first, or they go with the one below
    swept(small_csv, tmp_path / "alone", workers=1)
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        swept(small_csv, tmp_path / "cluster", dask="2")
    assert left_behind(tmp_path / "cluster") == left_behind(tmp_path / "alone")


def test_dask_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, the error says how to install it."""
    monkeypatch.setattr("flows.dask_cluster.find_spec", lambda _: None)
    check_dask("")
    with pytest.raises(InputError, match=r"'\.\[dask\]'"):
        check_dask("2")


def test_an_interrupted_sweep_keeps_what_is_done(
    small_csv: Path,
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    warm_workers: None,
) -> None:
    """Ctrl-C ends the workers at once, and what had come to its end is in the store."""

    @contextmanager
    def interrupted(networks: int) -> Iterator[Any]:
        def done() -> None:
            raise KeyboardInterrupt

        yield done

    grid = {"epochs": [2, 1_000_000], "hidden_layers": [[]]}
    monkeypatch.setattr("flows.sweep.progress_of_several", interrupted)
    with pytest.raises(KeyboardInterrupt):
        swept(small_csv, tmp_path, workers=2, grid=grid)
    assert not multiprocessing.active_children()
    assert len(list(tmp_path.glob("store/weights-*.pkl"))) == 1
    assert not list(tmp_path.glob("sweeps/*"))
