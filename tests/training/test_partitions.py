"""A training on partitions: its costs, and its bytes wherever each of them is computed."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import dask
import distributed
import numpy as np
import pandas as pd
import pytest
from examples.digits import easy_digits, write_digits
from examples.training import CLASSIC, SILENT, outcome
from pydantic import ValidationError

from flows.settings import Settings
from network.gradient_descent import DivergenceError
from tasks.cache.sources import digests_of_stage
from tasks.digits.mapped_images import mapped_digits
from tasks.digits.table import read_slice
from tasks.errors import WorkerError
from tasks.training import dask_cluster as dask_module
from tasks.training.checkpoint import Checkpoint
from tasks.training.dask_cluster import dask_cluster, local_cluster
from tasks.training.dask_workers import dask_workers, read_partition
from tasks.training.fit import fit
from tasks.training.partitions import Workers, rows_of_partitions
from tasks.training.progress import Show
from tasks.training.settings import TrainingSettings

DIGITS = easy_digits(9000)
TRAINING = CLASSIC.model_copy(update={"hidden_layers": (8,), "epochs": 4, "partitions": 3})
KINDS: dict[str, dict[str, Any]] = {
    "full batch": {},
    "large batches": {"batch_size": 2000, "momentum": 0.9},
    "validation": {"validation_fraction": 0.1, "patience": 3},
    "convolutions": {"convolutions": (2,), "freeze_layers": 1},
}


def fitted(
    training: TrainingSettings,
    digits: Any = DIGITS,
    show: Show = SILENT,
    checkpoint: Checkpoint | None = None,
    workers: Workers | None = None,
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Train with a generator of the same seed."""
    return fit(digits, training, np.random.default_rng(3), show, checkpoint, workers=workers)


@pytest.mark.parametrize("rows", [1, 4095, 4096, 4097, 20_000, 100_001])
@pytest.mark.parametrize("partitions", [1, 2, 3, 8])
def test_partitions_have_every_row_once(rows: int, partitions: int) -> None:
    """They are whole groups of rows, about as many each; a small file has fewer of them."""
    parts = rows_of_partitions(rows, partitions)
    assert [row for part in parts for row in range(rows)[part]] == list(range(rows))
    assert len(parts) == min(partitions, -(-rows // 4096))
    assert all(part.start % 4096 == 0 for part in parts)
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) < 2 * 4096


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "close"), [("float32", 1e-6), ("float64", 1e-12)])
def test_costs_are_those_of_one_process(kind: str, dtype: str, close: float) -> None:
    """Partitions change the order of the sums and nothing else."""
    training = TRAINING.model_copy(update={**KINDS[kind], "dtype": dtype})
    _, apart = fitted(training)
    _, whole = fitted(training.model_copy(update={"partitions": 0}))
    assert len(apart) == training.epochs
    np.testing.assert_allclose(apart, whole, rtol=close)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the digits as a file of three groups of rows."""
    path = tmp_path_factory.mktemp("split") / "train.parquet"
    write_digits(DIGITS, path)
    return path


@pytest.fixture(scope="module")
def workers(parquet: Path) -> Iterator[Workers]:
    """Yield two processes of Dask."""
    with dask_cluster("2") as cluster, dask_workers(cluster, parquet) as workers:
        assert workers is not None
        yield workers


def test_a_local_cluster_leaves_memory_to_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Dask sets for workers of little memory, and its profiler, slow no training down."""
    settings = ("nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_", "worker.profile.enabled")

    def found(**_: Any) -> list[Any]:
        return [dask.config.get(f"distributed.{name}") for name in settings]

    assert all(found())  # Dask's names for them, and its choice
    monkeypatch.setattr(distributed, "LocalCluster", found)
    assert not any(cast(list[Any], local_cluster(2, "module")))
    assert all(found())


@pytest.mark.parametrize("kind", KINDS)
def test_workers_leave_the_same_bytes(kind: str, workers: Workers, parquet: Path) -> None:
    """Two workers or none, each its partitions or one of them all: the same weights and costs."""
    training = TRAINING.model_copy(update=KINDS[kind])
    held_out = round(training.validation_fraction * 9000)
    with mapped_digits(parquet, parquet.parent, 9000 - held_out) as digits:
        assert outcome(*fitted(training, digits, workers=workers)) == outcome(*fitted(training))


def test_a_killed_worker_costs_time_and_no_rows(
    workers: Workers, parquet: Path, tmp_path: Path
) -> None:
    """What it had kept is read again by another; costs, weights and checkpoints are the same."""
    pids = {worker.pid for worker in multiprocessing.active_children()}

    def kill_one(epoch: int, cost: float) -> None:
        if epoch == 2:
            os.kill(min(pid for pid in pids if pid), signal.SIGKILL)

    checkpoint = Checkpoint(tmp_path / "key")
    with mapped_digits(parquet, parquet.parent, 9000) as digits:
        killed = fitted(TRAINING, digits, kill_one, checkpoint, workers)
    assert outcome(*killed) == outcome(*fitted(TRAINING))
    saved = checkpoint.load()
    assert saved is not None
    assert outcome(saved.state.weights, pd.DataFrame(saved.history)) == outcome(*killed)


def test_a_training_that_diverges_on_workers_says_so(workers: Workers) -> None:
    """What a worker's sums overflow to is seen as in one process."""
    training = TRAINING.model_copy(update={"learning_rate": 1e38, "momentum": 0.9})
    with pytest.raises(DivergenceError, match="lower `learning_rate`"):
        fitted(training, workers=workers)


def test_a_worker_with_another_file_or_other_code_is_refused(parquet: Path) -> None:
    """A wrong sum can't come from a worker that sees another folder or runs another version."""
    code = digests_of_stage("tasks.train")
    assert len(read_partition(parquet, slice(4096, 9000), code)) == 9000 - 4096
    with pytest.raises(WorkerError, match=r"nowhere\.parquet: a Dask worker does not see"):
        read_partition(parquet.with_name("nowhere.parquet"), slice(0, 1), code)
    with pytest.raises(WorkerError, match="another version"):
        read_partition(parquet, slice(0, 1), {**code, "tasks/train.py": ""})


def test_a_scheduler_that_does_not_answer_is_named(
    parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says which, and what to start."""
    monkeypatch.setattr(dask_module, "SECONDS", 0.2)
    address = "tcp://127.0.0.1:9"
    with (
        dask_cluster(address) as cluster,
        pytest.raises(WorkerError, match=f"`dask` {address}: no scheduler .* `dask scheduler`"),
        dask_workers(cluster, parquet),
    ):
        pass


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"training": {"partitions": 2}}, "give `distortion` 0"),
        ({"training": {"partitions": 2, "distortion": 0, "batch_size": 511}}, "at least 512"),
        ({"recipe": "classic", "dask": "2"}, "give `partitions`"),
        ({"recipe": "classic", "training": {"partitions": 2}, "dask": "two"}, "dask"),
        ({"recipe": "classic", "training": {"partitions": 2}, "dask": "0"}, "dask"),
    ],
    ids=str,
)
def test_what_can_not_be_computed_in_partitions_is_refused(
    given: dict[str, Any], remedy: str
) -> None:
    """A setting that would be ignored, or that would make a training crawl, ends before it."""
    with pytest.raises(ValidationError, match=remedy):
        Settings.model_validate(given)


def test_rows_that_follow_each_other_are_read_alone(parquet: Path) -> None:
    """A partition may begin and end within a group of rows, as those of large images do."""
    for rows in (slice(0, 9000), slice(4000, 4100), slice(4096, 8192), slice(4097, 9000)):
        digits = read_slice(parquet, rows)
        assert (digits.pixels == DIGITS.pixels[rows]).all()
        assert (digits.labels == DIGITS.labels[rows]).all()
