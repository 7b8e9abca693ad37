"""Ctrl-C, SIGTERM, a killed server: the run ends, its server too, and training resumes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from examples.digits import PROJECT

pytestmark = pytest.mark.slow

# The real command line, but a checkpoint is saved after every epoch.
COMMAND = """
from tasks.training import checkpoint
checkpoint.SECONDS_BETWEEN = checkpoint.LEAST_SHARE = 0
from flows.cli import main
main()
"""


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
    options = ["train", "--csv", str(small_csv), "--recipe", "classic", "--epochs", "1000000"]
    checkpoints = tmp_path / "artifacts" / "checkpoints"
    home = shutil.copytree(prefect_home, tmp_path / "home")  # a server of its own is started
    environment = {name: v for name, v in os.environ.items() if name != "PREFECT_API_URL"}
    environment["PREFECT_API_DATABASE_MIGRATE_ON_START"] = "false"  # its database is the newest
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *options, "--artifacts", str(tmp_path / "artifacts")],
        env={**environment, "PREFECT_HOME": str(home), "PYTHONPATH": str(PROJECT)},
        # A shell that starts the tests with & lets them and their children ignore it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        log = ""
        while "epoch 1 of" not in log:
            line = process.stderr.readline()
            assert line, f"ended before training began:\n{log}"
            log += line
        while not list(checkpoints.glob("[!.]*")):
            time.sleep(0.01)
        os.kill(process.pid if victim == "run" else server_of(process.pid), number)
        # Ends when nobody holds the pipes any more: neither the process nor a server it started.
        _, rest = process.communicate(timeout=20)
    assert process.returncode == code
    assert message in rest, rest
    assert rest.count("error:") == 1
    assert "Traceback" not in rest
    assert [path.name for path in (tmp_path / "artifacts" / "runs").iterdir()] == []
    (checkpoint,) = checkpoints.glob("[!.]*")
    half_written = [path for path in checkpoints.iterdir() if path != checkpoint]
    assert victim == "server" or half_written == [], "a run that ends itself cleans up"
