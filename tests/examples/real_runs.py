"""Real `digits train` processes over one artifacts folder, to be killed or to race each other."""

import hashlib
import json
import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tasks.cache.store import sha256_of
from tasks.runs.folders import MANIFEST, complete_runs

WARM = multiprocessing.get_context("forkserver")  # children are forked off with imports done
WARM.set_forkserver_preload(["flows.commands.train", "flows.retrain"])


def digits_train(words: list[str], log: Path) -> None:
    """Be a `digits train` that saves a checkpoint after every epoch."""
    from flows.cli import main
    from tasks.training import checkpoint

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
        process = WARM.Process(target=digits_train, args=(words, self.log))
        process.start()
        return process


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
