"""What tests share: one Prefect server for the session, small digit files, and the command line."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# The same examples every time: a change is never blamed for another day's luck. To look for new
# ones: pytest --hypothesis-profile default
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start one Prefect server on a database of its own, and yield its address."""
    from prefect.settings import get_current_settings
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield str(get_current_settings().api.url)


def write_small_csv(path: Path) -> Path:
    """Write 200 easy 8 × 8 digits, 20 of each: digit d has its own bright pixels."""
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.repeat(np.arange(10), 20))
    pixels = rng.integers(0, 60, (200, 64))
    for digit in range(10):
        pixels[labels == digit, 6 * digit : 6 * digit + 6] += 180
    np.savetxt(path, np.column_stack([pixels, labels]), fmt="%d", delimiter=",")
    return path


@pytest.fixture
def small_csv(tmp_path: Path) -> Path:
    """Return a file of easy digits in the test's own folder."""
    return write_small_csv(tmp_path / "small.csv")


Digits = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def digits(tmp_path: Path) -> Digits:
    """Run the `digits` command as a person does: a process of its own, in an empty folder."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run
