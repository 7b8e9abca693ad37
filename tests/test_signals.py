"""Ctrl-C, SIGTERM, a killed server: the run ends, its server too, and training resumes."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from examples.real_runs import save_every_checkpoint, start_digits, wait_for_end
from prefect.context import refresh_global_settings_context

from flows.server import ready_prefect

pytestmark = pytest.mark.slow


def prepare() -> None:
    """Save every checkpoint, let Ctrl-C interrupt, and have Prefect use the server of this process.

    A shell that starts the tests with & has Ctrl-C ignored. Prefect reads its settings when it is
    imported, which is after the server's start at the command line and before it here.
    """
    save_every_checkpoint()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start = ready_prefect.start_in_background

    def start_and_refresh() -> Callable[[], None]:
        server_is_ready = start()
        refresh_global_settings_context()
        return server_is_ready

    pytest.MonkeyPatch().setattr(ready_prefect, "start_in_background", start_and_refresh)


def server_of(process: int) -> int:
    """Return the process of the temporary server that a command started."""
    words = ["pgrep", "-P", str(process), "-f", "flows.server.app"]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize(
    ("victim", "number", "code", "message"),
    [
        ("run", signal.SIGINT, 130, "error: Interrupted."),
        ("run", signal.SIGTERM, 143, "error: Terminated."),
        ("server", signal.SIGKILL, 1, "error: the temporary Prefect server ended with code -9"),
    ],
)
def test_a_signal_ends_a_training_cleanly(
    victim: str,
    number: signal.Signals,
    code: int,
    message: str,
    small_csv: Path,
    tmp_path: Path,
    prefect_home: Path,
) -> None:
    """Its own exit code, no traceback, no process left behind, and the checkpoint is kept."""
    artifacts, log = tmp_path / "artifacts", tmp_path / "log"
    checkpoints = artifacts / "checkpoints"
    home = shutil.copytree(prefect_home, tmp_path / "home")  # a server of its own is started
    environment = {name: v for name, v in os.environ.items() if name != "PREFECT_API_URL"}
    environment["PREFECT_API_DATABASE_MIGRATE_ON_START"] = "false"  # its database is the newest
    os.mkfifo(log)  # at its end when nobody can write to it any more
    words = ["train", "--csv", str(small_csv), "--recipe", "classic", "--epochs", "1000000"]
    process = start_digits(
        [*words, "--artifacts", str(artifacts)],
        tmp_path,
        {**environment, "PREFECT_HOME": str(home)},
        (log, log),
        prepare,
    )
    with log.open() as lines:
        until_training = ""
        while "epoch 1 of" not in until_training:
            line = lines.readline()
            assert line, f"ended before training began:\n{until_training}"
            until_training += line
        while not list(checkpoints.glob("[!.]*")):
            time.sleep(0.01)
        assert process.pid
        os.kill(process.pid if victim == "run" else server_of(process.pid), number)
        # Ends when neither the process is left nor a server that it started.
        rest = lines.read()
    wait_for_end(process, "digits train")
    assert process.exitcode == code
    assert message in rest, rest
    assert rest.count("error:") == 1
    assert "Traceback" not in rest
    assert [path.name for path in (artifacts / "runs").iterdir()] == []
    (checkpoint,) = checkpoints.glob("[!.]*")
    half_written = [path for path in checkpoints.iterdir() if path != checkpoint]
    assert victim == "server" or half_written == [], "a run that ends itself cleans up"
