"""What tests share: one Prefect server for the session, small digit files, and the command line."""

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from examples.digits import PROJECT, write_small_csv
from examples.object_store import make_bucket, object_store
from examples.prefect_server import prefect_server, wait_for
from examples.real_runs import SECONDS, WARM, Trainer, draw_dots, run_digits
from examples.runs import STAGES, plain_figures, quick, ran, run
from hypothesis import settings as hypothesis_settings

from flows.settings import Settings

# The same examples every time: a change is never blamed for another day's luck. To look for new
# ones: pytest --hypothesis-profile default
hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis_settings.load_profile("repeatable")


BUCKETS = count()  # numbers of buckets of the object store

SERVER = pytest.StashKey[tuple[str, str]]()  # address and home of the Prefect server


def pytest_configure(config: pytest.Config) -> None:
    """Take the server of all workers, or start it where there are several and this is none."""
    gc.disable()  # until all tests are imported: of that nothing is garbage
    if worker := getattr(config, "workerinput", None):
        config.stash[SERVER] = worker["prefect_server"]
    elif config.getoption("numprocesses", None):
        _start_server(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the server's address to a worker."""
    node.workerinput["prefect_server"] = node.config.stash[SERVER]


def _start_server(config: pytest.Config) -> None:
    server = ExitStack()
    config.add_cleanup(server.close)
    home = server.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
    config.stash[SERVER] = (server.enter_context(prefect_server(Path(home))), home)


@pytest.fixture(scope="session")
def prefect_home(pytestconfig: pytest.Config) -> Path:
    """Return a Prefect home whose database is made, to be copied for servers of a test's own."""
    if SERVER not in pytestconfig.stash:
        _start_server(pytestconfig)
    address, home = pytestconfig.stash[SERVER]
    wait_for(address, Path(home))
    return Path(home) / "template"


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config, prefect_home: Path) -> Iterator[str]:
    """Yield the address of the Prefect server that flows in this process use."""
    from prefect.settings import (
        PREFECT_API_TLS_INSECURE_SKIP_VERIFY,
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )

    address, _ = pytestconfig.stash[SERVER]
    settings = {
        PREFECT_API_URL: address,
        PREFECT_API_TLS_INSECURE_SKIP_VERIFY: True,  # no certificates are loaded for plain HTTP
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # a run's end waits up to a second for its thread
        PREFECT_LOGGING_TO_API_ENABLED: False,  # or the last lines are sent when there is no server
    }
    with temporary_settings(settings):
        yield address


@pytest.fixture
def small_csv(tmp_path: Path) -> Path:
    """Return a file of easy digits in the test's own folder."""
    return write_small_csv(tmp_path / "small.csv")


@pytest.fixture
def trainer(tmp_path: Path, small_csv: Path, server: str) -> Trainer:
    """Return a trainer on a folder of the test's own."""
    warm_up = WARM.Process(target=int)
    warm_up.start()
    warm_up.join()
    return Trainer(tmp_path, small_csv, server)


Digits = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def digits(tmp_path: Path) -> Digits:
    """Run the `digits` command in an empty folder, in a process with its imports done."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_digits(list(map(str, words)), tmp_path, os.environ | environment, draw_dots)

    return run


@pytest.fixture
def cold_digits(tmp_path: Path) -> Digits:
    """Run the `digits` command as a person does, with all of its imports to do."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
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


@pytest.fixture(scope="session")
def store_environment() -> Iterator[dict[str, str]]:
    """Yield the environment variables with which the session's object store is used."""
    with object_store() as environment:
        yield environment


@pytest.fixture
def url(store_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of empty artifacts, to be used here from a home of the test's own."""
    for name, value in store_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    bucket = f"digits-{next(BUCKETS)}"
    make_bucket(store_environment["AWS_ENDPOINT_URL"], bucket)
    return f"s3://{bucket}/team"


# On a machine that may be busy.
SECONDS_A_KILL = 50
SECONDS_OF_A_TEAM, SECONDS_A_RUN = 240, 60


LONGEST = [
    *("test_deployments", "test_team", "test_chaos", "test_signals", "test_races"),
    *("test_browser", "test_photographs", "test_transfer_gain", "test_shared_runs"),
    *("test_champion", "test_command_line", "test_retrain_flow", "test_bounds", "test_figures"),
    *("test_damaged_files", "test_deep_network", "test_partitions", "test_shuffle_split"),
    *("test_temporary_server", "test_sweep", "test_resources", "test_digit_table"),
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start with the longest files, so that no worker is left alone with one at the end."""
    for item in items:
        if "kills" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(SECONDS_A_KILL * config.getoption("--kills")))
        if "together" in getattr(item, "fixturenames", ()):
            seconds = SECONDS_OF_A_TEAM + SECONDS_A_RUN * config.getoption("--together")
            item.add_marker(pytest.mark.timeout(seconds))
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_collection_finish() -> None:
    """From now on look for garbage, but no more in what was imported."""
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make chaos N=200` and `make team N=20` do more than the suite does."""
    parser.addoption("--together", type=int, default=3, help="runs at once of the team's test")
    parser.addoption("--kills", type=int, default=8, help="kills of the chaos test")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """Return how often the chaos test is to kill."""
    return int(request.config.getoption("--kills"))


@pytest.fixture
def together(request: pytest.FixtureRequest) -> int:
    """Return how many runs a team is to start at once."""
    return int(request.config.getoption("--together"))
