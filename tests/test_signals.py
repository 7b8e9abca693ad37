"""Ctrl-C and SIGTERM: the process ends by itself, ends its server too, and training resumes."""

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


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (signal.SIGINT, 130, "error: Interrupted."),
        (signal.SIGTERM, 143, "error: Terminated."),
    ],
)
def test_a_signal_ends_a_training_cleanly(
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
        process.send_signal(number)
        # Ends when nobody holds the pipes any more: neither the process nor a server it started.
        _, rest = process.communicate(timeout=30)
    assert process.returncode == code
    assert message in rest, rest
    assert "Traceback" not in rest
    assert [path.name for path in (tmp_path / "artifacts" / "runs").iterdir()] == []
    (checkpoint,) = checkpoints.iterdir()
    assert not checkpoint.name.startswith(".")
