"""Kill -9 at any moment, again and again: the next run ends with the bytes of an undisturbed one.

The kills go to real processes at work on a real `digits train`. `make chaos N=200` kills more.
"""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from examples.real_runs import Trainer, check, outcome
from examples.runs import STAGES

import flows.retrain  # noqa: F401  # the stages' records must be known to be read
from tasks.cache import records
from tasks.cache.store import Store
from tasks.runs.folders import MANIFEST, complete_runs

pytestmark = pytest.mark.slow

KILLS_IN_A_ROW = 4  # then a run may finish, is compared, and all begins anew


def finished_stages(artifacts: Path, reference: dict[str, str]) -> set[str]:
    """Return the stages whose result is stored whole."""
    store = Store(folder=artifacts)
    return {stage for stage, key in reference.items() if records.why_unusable(store, key) is None}


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
        resumed += trainer.log.read_text().count("resuming after epoch")
        trainer.log.unlink()
        last = trainer.start()
        last.join()
        assert last.exitcode == 0, trainer.log.read_text()
        check(trainer.artifacts)
        run = complete_runs(trainer.artifacts)[0]
        assert outcome(run) == expected
        stages = json.loads((run / MANIFEST).read_text())["stages"]
        assert {name for name in STAGES if stages[name]["state"] == "cached"} == done
        assert ("resuming after epoch" in trainer.log.read_text()) == checkpoint
        print(f"{killed} of {kills} kills survived, {resumed} trainings resumed", flush=True)
    assert resumed, "no kill came in the middle of a training: the test shows less than it says"
