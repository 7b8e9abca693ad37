"""What tests share: one Prefect server for the session, small digit files, and the command line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples.digits import PROJECT, write_small_csv
from examples.real_runs import WARM, Trainer
from examples.runs import STAGES, plain_figures, quick, ran, run
from hypothesis import settings as hypothesis_settings

from flows.settings import Settings

# The same examples every time: a change is never blamed for another day's luck. To look for new
# ones: pytest --hypothesis-profile default
hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis_settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start one Prefect server on a database of its own, and yield its address."""
    from prefect.settings import get_current_settings
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield str(get_current_settings().api.url)


@pytest.fixture
def small_csv(tmp_path: Path) -> Path:
    """Return a file of easy digits in the test's own folder."""
    return write_small_csv(tmp_path / "small.csv")


@pytest.fixture
def trainer(
    tmp_path: Path, small_csv: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> Trainer:
    """Return a trainer on a folder of the test's own."""
    monkeypatch.setenv("PREFECT_API_URL", server)  # read with the imports, before the first fork
    warm_up = WARM.Process(target=int)
    warm_up.start()
    warm_up.join()
    return Trainer(tmp_path, small_csv)


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


@pytest.fixture(scope="session")
def finished(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the flow once, for all tests that ask what a second run does."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        plain_figures(patch)
        published = run(quick(write_small_csv(folder / "small.csv"), folder / "artifacts"))
    assert ran(published) == STAGES
    return folder


@pytest.fixture
def settings(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the finished run's settings, on a copy of all it left: a store can be moved."""
    plain_figures(monkeypatch)
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True, symlinks=True)
    return quick(tmp_path / "small.csv", tmp_path / "artifacts")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slow files, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make chaos N=200` kill more often than the suite does."""
    parser.addoption("--kills", type=int, default=25, help="kills of the chaos test")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """Return how often the chaos test is to kill."""
    return int(request.config.getoption("--kills"))
