"""What tests share: one Prefect server for the session, small digit files, and the command line."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from PIL import Image
from real_runs import WARM, Trainer

from flows.settings import Settings
from tasks.data_profile import Profile
from tasks.image_digests import packed
from tasks.past_runs import PastRun

if TYPE_CHECKING:
    from tasks.publish import Published

# The same examples every time: a change is never blamed for another day's luck. To look for new
# ones: pytest --hypothesis-profile default
hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis_settings.load_profile("repeatable")

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start one Prefect server on a database of its own, and yield its address."""
    from prefect.settings import get_current_settings
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield str(get_current_settings().api.url)


def write_small_csv(path: Path) -> Path:
    """Write 200 easy 8 × 8 digits, 20 of each: digit d has its own bright pixels.

    The first pixel is the digit too, so that the labels may be looked for in either end.
    """
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.repeat(np.arange(10), 20))
    pixels = rng.integers(0, 60, (200, 64))
    for digit in range(10):
        pixels[labels == digit, 6 * digit : 6 * digit + 6] += 180
    pixels[:, 0] = labels
    np.savetxt(path, np.column_stack([pixels, labels]), fmt="%d", delimiter=",")
    return path


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


def past_run(place: int, accuracy: float = 0.95) -> PastRun:
    """Return the line of an imagined run, one a day."""
    return PastRun(
        run=f"2026-11-{place + 1:02}T03-00-00Z-run",
        started=datetime(2026, 11, place + 1, 3, tzinfo=UTC),
        accuracy=accuracy,
        accuracy_interval=(max(accuracy - 0.02, 0), min(accuracy + 0.02, 1)),
        test_rows=1000,
        verdict="kept",
    )


def imagined_profile(rows: int = 60, side: int = 8, seed: int = 5) -> Profile:
    """Return the profile of random images of random digits, each image another."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, rows)
    parts = min(side, 4)
    return Profile(
        rows=rows,
        image_side=side,
        counts=tuple(np.bincount(labels, minlength=10).tolist()),
        ink=tuple(0.2 if (labels == digit).any() else None for digit in range(10)),
        ink_histogram=tuple(np.histogram(rng.normal(0.2, 0.04, rows), 100, (0, 1))[0].tolist()),
        regions=tuple(tuple(row) for row in rng.random((parts, parts)).tolist()),
        duplicates=0,
        digests=packed(np.arange(rows, dtype=np.uint64)),
    )


STAGES = ["ingest", "shuffle_split", "train", "evaluate"]


def quick(csv: Path, artifacts: Path) -> Settings:
    """Return settings of a training that takes no time."""
    return Settings.model_validate(
        {"csv": csv, "artifacts": artifacts, "recipe": "classic", "training": {"epochs": 5}}
    )


def plain_figures(patch: pytest.MonkeyPatch) -> None:
    """Let runs in this process draw dots: most tests ask for other things, and drawing is slow."""

    def dots(charts: tuple[str, ...], sheets: tuple[str, ...]) -> Callable[..., None]:
        def draw(folder: Path, **shown: object) -> None:
            folder.mkdir(exist_ok=True)
            variants = ("variants",) if shown.get("variants") is not None else ()
            for name in charts + sheets + variants:
                Image.new("P", (1, 1)).save(folder / f"{name}.png")
            for name in charts:
                (folder / f"{name}.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

        return draw

    network = dots(("cost", "confusion"), ("predictions", "mistakes", "weights"))
    patch.setattr("tasks.figures.draw_network", network)
    patch.setattr("tasks.publish.draw_surroundings", dots(("accuracy", "data"), ()))


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


def changed(settings: Settings, **changes: Any) -> Settings:
    """Return settings with some fields changed; nested ones as mappings."""
    given = settings.model_dump(exclude_unset=True)
    for name, value in changes.items():
        given[name] = {**given.get(name, {}), **value} if isinstance(value, dict) else value
    return Settings.model_validate(given)


def run(settings: Settings) -> "Published":
    """Run the flow in this process."""
    from flows.retrain import retrain

    return retrain(settings, return_state=True).result()  # type: ignore[no-any-return]


def ran(published: "Published") -> list[str]:
    """Return the stages that ran."""
    return [stage for stage in STAGES if published.stages[stage] == "ran"]


def manifest(published: "Published") -> dict[str, Any]:
    """Return a run's manifest."""
    return json.loads((published.directory / "manifest.json").read_text())  # type: ignore[no-any-return]


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
