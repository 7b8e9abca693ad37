"""The `digits` command in processes of its own: to be looked at, to be killed, or to race others.

They are forked off a process that has all imports done, which would take each of them seconds.
Words, environment, folder, streams and signals are their own.
"""

import atexit
import gc
import hashlib
import json
import multiprocessing
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from examples.runs import plain_figures
from flows.cli import COMMANDS
from tasks.cache.store import sha256_of
from tasks.runs.folders import MANIFEST, complete_runs
from tasks.training import checkpoint

SECONDS = 240  # until a command is taken to hang

WARM = multiprocessing.get_context("forkserver")
WARM.set_forkserver_preload(
    [
        *("flows.retrain", "flows.predict", "flows.sweep", "flows.server.environment"),
        *(f"flows.commands.{name}" for name in COMMANDS),
        # What they import, read and compile at work.
        "examples.warm",
        *("tasks.training.ensemble", "tasks.training.fit", "tasks.report.network_figures"),
        *("prefect.flow_engine", "prefect.task_engine", "anyio._backends._asyncio", "fastapi"),
        *("prefect.utilities.visualization", "pyarrow.dataset", "pytest"),
    ]
)


def start_digits(
    words: list[str],
    folder: Path,
    environment: Mapping[str, str],
    streams: tuple[Path, Path],
    prepare: Callable[[], Any],
) -> BaseProcess:
    """Start a `digits` command and return its process.

    Args:
        words: the command line after `digits`.
        folder: its working directory.
        environment: all of its environment variables.
        streams: files that its standard output and standard error are appended to.
        prepare: called in the process before the command; a function of a module.
    """
    return start_forked(partial(_run_command, words, prepare), folder, environment, streams)


def start_forked(
    work: Callable[[], Any],
    folder: Path,
    environment: Mapping[str, str],
    streams: tuple[Path, Path],
) -> BaseProcess:
    """Start some work in a process that has the imports done, and return it at once.

    Args:
        work: what is called there; a function of a module, or a partial one.
        folder: see `start_digits`.
        environment: see `start_digits`.
        streams: see `start_digits`.
    """
    process = WARM.Process(target=_be, args=(work, folder, dict(environment), streams))
    process.start()
    return process


def run_digits(
    words: list[str],
    folder: Path,
    environment: Mapping[str, str],
    prepare: Callable[[], Any],
) -> subprocess.CompletedProcess[str]:
    """Run a `digits` command to its end and return what it wrote; see `start_digits`."""
    with TemporaryDirectory() as written:
        streams = (Path(written) / "stdout", Path(written) / "stderr")
        process = start_digits(words, folder, environment, streams, prepare)
        wait_for_end(process, f"digits {' '.join(words)}")
        out, err = (stream.read_text() for stream in streams)
        return subprocess.CompletedProcess(words, process.exitcode, out, err)


def wait_for_end(process: BaseProcess, name: str) -> None:
    """Wait until a process has ended; one that hangs is killed, and the test fails."""
    process.join(SECONDS)
    if process.exitcode is None:
        process.kill()
        pytest.fail(f"{name}: still not done after {SECONDS} s")


def _be(
    work: Callable[[], Any],
    folder: Path,
    environment: dict[str, str],
    streams: tuple[Path, Path],
) -> None:
    gc.freeze()  # looking through all that was imported would copy it
    for number, path in enumerate(streams, start=1):
        with path.open("ab") as file:
            os.dup2(file.fileno(), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from prefect.context import refresh_global_settings_context

    from flows.server.environment import configure_prefect

    configure_prefect()
    refresh_global_settings_context()  # they were read with the imports
    try:
        work()
    finally:  # a forked process leaves without these
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()


def _run_command(words: list[str], prepare: Callable[[], Any]) -> None:
    from flows.cli import main

    prepare()
    main(words)


def draw_dots() -> None:
    """Have no figures drawn in this process."""
    plain_figures(pytest.MonkeyPatch())


def save_every_checkpoint() -> None:
    """Have a checkpoint saved after every epoch in this process."""
    checkpoint.SECONDS_BETWEEN = checkpoint.LEAST_SHARE = 0


def _draw_dots_save_every_checkpoint() -> None:
    draw_dots()
    save_every_checkpoint()


class Trainer:
    """Starts `digits train` processes over one artifacts folder.

    If not prepared otherwise, they save a checkpoint after every epoch and draw no figures.
    """

    def __init__(self, folder: Path, csv: Path, server: str) -> None:
        self.artifacts = folder / "artifacts"
        self.log = folder / "log.txt"
        self.prepare = _draw_dots_save_every_checkpoint
        self._folder = folder
        self._csv = csv
        self._environment = {**os.environ, "PREFECT_API_URL": server}

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints of trainings that have not come to an end."""
        return list(self.artifacts.glob("checkpoints/[!.]*"))

    def start(self, *, seed: int = 0, artifacts: Path | None = None) -> BaseProcess:
        """Start one as it is prepared, and return it at once."""
        words = ["train", "--csv", str(self._csv), "--recipe", "classic", "--epochs", "200"]
        words += ["--seed", str(seed), "--artifacts", str(artifacts or self.artifacts)]
        return start_digits(
            words, self._folder, self._environment, (self.log, self.log), self.prepare
        )


def outcome(run: Path) -> dict[str, Any]:
    """Return all that a run's bytes must agree on with any other of the same settings."""
    files: dict[str, str] = json.loads((run / MANIFEST).read_text())["files"]
    # The report, and what it says of the runs and the champion before, may differ.
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
