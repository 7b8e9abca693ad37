"""Real runs started at once over one store."""

import json
from pathlib import Path
from typing import Any

import pytest
from examples.real_runs import Trainer, check, outcome, save_every_checkpoint

from tasks.runs.folders import MANIFEST, complete_runs

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("seeds", "draw"), [((0, 0), True), ((0, 0, 0, 0, 1, 1, 2, 3), False)])
def test_simultaneous_runs_all_end_well(
    trainer: Trainer, tmp_path: Path, seeds: tuple[int, ...], draw: bool
) -> None:
    """Started at once over one store: equal settings give equal bytes, nothing is mixed up."""
    if draw:
        trainer.prepare = save_every_checkpoint  # and draw: figures are equal too
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
    promotions = json.loads((trainer.artifacts / "champion.json").read_text())["promotions"]
    promoted = [manifest["run"] for manifest in manifests if manifest["verdict"] == "promoted"]
    assert sorted(entry["run"] for entry in promotions) == sorted(promoted)
