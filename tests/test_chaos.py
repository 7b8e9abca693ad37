"""Kill -9 at any moment, again and again: the next run ends with the bytes of an undisturbed one.

The kills go to real processes at work on a real `digits train`. `make chaos N=200` kills more.
"""

import hashlib
import json
import multiprocessing
import os
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import STAGES

import flows.retrain  # noqa: F401  # the stages' records must be known to be read
from tasks import records
from tasks.run_folders import MANIFEST, complete_runs
from tasks.store import Store, sha256_of

KILLS_IN_A_ROW = 4  # then a run may finish, is compared, and all begins anew
_WARM = multiprocessing.get_context("forkserver")  # children are forked off with imports done
_WARM.set_forkserver_preload(["flows.commands.train", "flows.retrain"])


def digits_train(words: list[str], log: Path) -> None:
    """Be a `digits train` that saves a checkpoint after every epoch."""
    from flows.cli import main
    from tasks import checkpoint

    checkpoint.SECONDS_BETWEEN = checkpoint.LEAST_SHARE = 0
    with log.open("a") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.stdout = sys.stderr = os.fdopen(2, "w")
    main(words)


class Trainer:
    """Starts `digits train` processes over one artifacts folder."""

    def __init__(self, folder: Path, csv: Path) -> None:
        self.artifacts = folder / "artifacts"
        self.log = folder / "log.txt"
        self._csv = csv

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints of trainings that have not come to an end."""
        return list(self.artifacts.glob("checkpoints/[!.]*"))

    def start(self, *, seed: int = 0, artifacts: Path | None = None) -> BaseProcess:
        """Start one, and return it at once."""
        words = ["train", "--csv", str(self._csv), "--recipe", "classic", "--epochs", "200"]
        words += ["--seed", str(seed), "--artifacts", str(artifacts or self.artifacts)]
        process = _WARM.Process(target=digits_train, args=(words, self.log))
        process.start()
        return process


@pytest.fixture
def trainer(
    tmp_path: Path, small_csv: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> Trainer:
    """Return a trainer on a folder of the test's own."""
    monkeypatch.setenv("PREFECT_API_URL", server)  # read with the imports, before the first fork
    warm_up = _WARM.Process(target=int)
    warm_up.start()
    warm_up.join()
    return Trainer(tmp_path, small_csv)


def outcome(run: Path) -> dict[str, Any]:
    """Return all that a run's bytes must agree on with any other of the same settings."""
    files: dict[str, str] = json.loads((run / MANIFEST).read_text())["files"]
    # The report, and what it tells of the runs and the champion before, may differ.
    others = ("report.", "metrics.json", "figures/accuracy.", "figures/data.")
    metrics = json.loads((run / "metrics.json").read_text())
    return {
        **{name: digest for name, digest in files.items() if not name.startswith(others)},
        "metrics": {name: metrics[name] for name in metrics.keys() - {"champion", "data"}},
    }


def check(artifacts: Path) -> None:
    """Check that whatever can be seen of a folder is whole."""
    for run in complete_runs(artifacts):
        for name, digest in json.loads((run / MANIFEST).read_text())["files"].items():
            assert sha256_of(run / name) == digest
    for stored in artifacts.glob("store/[!.]*"):
        named = stored.stem.rsplit("-", maxsplit=1)[1]
        assert hashlib.sha256(stored.read_bytes()).hexdigest().startswith(named)
    if (artifacts / "latest").is_symlink():
        assert (artifacts / "latest").resolve() in {r.resolve() for r in complete_runs(artifacts)}
    if (artifacts / "champion.json").exists():
        champion = json.loads((artifacts / "champion.json").read_text())["run"]
        assert champion in {run.name for run in complete_runs(artifacts)}


def finished_stages(artifacts: Path, reference: dict[str, str]) -> set[str]:
    """Return the stages whose result is stored whole."""
    store = Store(folder=artifacts)
    return {stage for stage, key in reference.items() if records.damage(store, key) is None}


@pytest.mark.timeout(1200)  # some thirty real runs, on a machine that may be busy
def test_killed_runs_leave_what_the_next_needs_and_nothing_half(
    trainer: Trainer, tmp_path: Path, kills: int
) -> None:
    """After every kill all is whole; the next run repeats no finished stage and ends the same."""
    began = time.monotonic()
    undisturbed = trainer.start(artifacts=tmp_path / "undisturbed")
    undisturbed.join()
    seconds = time.monotonic() - began
    assert undisturbed.exitcode == 0, trainer.log.read_text()
    (run,) = complete_runs(tmp_path / "undisturbed")
    expected = outcome(run)
    keys = {n: s["key"] for n, s in json.loads((run / MANIFEST).read_text())["stages"].items()}

    rng = np.random.default_rng(11)
    killed = resumed = 0
    while killed < kills:
        trainer.artifacts = tmp_path / f"killed-{killed}"
        for number in range(KILLS_IN_A_ROW):
            process = trainer.start()
            if number == 0:  # in the middle of the training, where luck alone seldom strikes
                while process.is_alive() and not trainer.checkpoints():
                    time.sleep(0.01)
                process.join(rng.uniform(0, 0.3))
            else:
                process.join(rng.uniform(0, seconds))
            killed += process.exitcode is None
            process.kill()
            process.join()
            check(trainer.artifacts)
        done = finished_stages(trainer.artifacts, keys)
        checkpoint = "train" not in done and bool(trainer.checkpoints())
        resumed += trainer.log.read_text().count("going on after epoch")
        trainer.log.unlink()
        last = trainer.start()
        last.join()
        assert last.exitcode == 0, trainer.log.read_text()
        check(trainer.artifacts)
        run = complete_runs(trainer.artifacts)[0]
        assert outcome(run) == expected
        stages = json.loads((run / MANIFEST).read_text())["stages"]
        assert {name for name in STAGES if stages[name]["state"] == "cached"} == done
        assert ("going on after epoch" in trainer.log.read_text()) == checkpoint
    print(f"{killed} kills survived, {resumed} trainings resumed")
    assert resumed, "no kill came in the middle of a training: the test shows less than it says"


@pytest.mark.parametrize(
    "seeds", [(0, 0), (0, 1), (0, 0, 0, 0, 1, 1, 2, 3)], ids=["2 equal", "2 different", "8 mixed"]
)
def test_simultaneous_runs_all_end_well(
    trainer: Trainer, tmp_path: Path, seeds: tuple[int, ...]
) -> None:
    """Started at once over one store: equal settings give equal bytes, nothing is mixed up."""
    processes = [trainer.start(seed=seed) for seed in seeds]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(seeds), trainer.log.read_text()
    check(trainer.artifacts)
    runs = complete_runs(trainer.artifacts)
    manifests = [json.loads((run / MANIFEST).read_text()) for run in runs]
    assert sorted(manifest["settings"]["seed"] for manifest in manifests) == sorted(seeds)
    alone = trainer.start(seed=seeds[-1], artifacts=tmp_path / "alone")
    alone.join()
    (expected,) = complete_runs(tmp_path / "alone")
    outcomes: dict[int, Any] = {seeds[-1]: outcome(expected)}
    for run, manifest in zip(runs, manifests, strict=True):
        seed = manifest["settings"]["seed"]
        assert outcome(run) == outcomes.setdefault(seed, outcome(run))
    weights = {each["weights.pkl"] for each in outcomes.values()}
    assert len(weights) == len(set(seeds))
    history = json.loads((trainer.artifacts / "champion.json").read_text())["history"]
    promoted = [manifest["run"] for manifest in manifests if manifest["verdict"] == "promoted"]
    assert sorted(entry["run"] for entry in history) == sorted(promoted)
