"""No room, no right to write, no memory: one clear error, exit code 1, earlier runs intact."""

import resource
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from examples.real_runs import draw_dots, run_digits
from examples.runs import STAGES, changed, ran, run

from flows.settings import Settings
from tasks.cache.store import Store, sha256_of
from tasks.runs.folders import complete_runs


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of every file under a folder."""
    return {str(p.relative_to(folder)): sha256_of(p) for p in folder.rglob("*") if p.is_file()}


def train(
    settings: Settings, server: str, *words: str, prepare: Callable[[], Any] = draw_dots
) -> subprocess.CompletedProcess[str]:
    """Run `digits train` in a process that `prepare` may limit."""
    options = ["--csv", str(settings.csv), "--artifacts", str(settings.artifacts)]
    return run_digits(
        ["train", *options, "--recipe", "classic", *words],
        settings.csv.parent,
        {"PREFECT_API_URL": server},
        prepare,
    )


def only_small_files(room: int) -> None:
    """Let this process, which draws its figures, write no file of more than so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


@pytest.mark.parametrize(("room", "stopped"), [(5_000, "shuffle_split"), (30_000, "evaluate")])
def test_a_full_disk_ends_a_run_and_harms_none(
    room: int, stopped: str, settings: Settings, server: str
) -> None:
    """The error says what to do; nothing half is left, and with room the next run goes on."""
    before = contents(settings.artifacts)
    little_room = partial(only_small_files, room)
    result = train(settings, server, "--epochs", "7", "--seed", "5", prepare=little_room)
    assert result.returncode == 1
    assert result.stderr.count("error:") == 1
    assert "File too large" in result.stderr
    assert "make room" in result.stderr
    assert "Traceback" not in result.stderr
    after = contents(settings.artifacts)
    assert {name: after[name] for name in before} == before
    assert len(complete_runs(settings.artifacts)) == 1
    assert not list(settings.artifacts.glob("store/.new-*"))
    with_room = ran(run(changed(settings, seed=5, training={"epochs": 7})))
    assert with_room == STAGES[STAGES.index(stopped) :]


@pytest.mark.parametrize("place", ["store", "results", "runs"])
def test_a_folder_that_can_not_be_written_is_an_error_before_any_work(
    place: str, small_csv: Path, tmp_path: Path, server: str
) -> None:
    """Prefect would only warn of a result it can't store, and the next run would repeat it all."""
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / place).touch()
    settings = Settings(csv=small_csv, artifacts=tmp_path / "artifacts")
    with pytest.raises(OSError, match="can't be written to"):
        run(settings)


def test_an_unwritable_folder_is_one_line_on_the_command_line(
    small_csv: Path, tmp_path: Path, server: str
) -> None:
    """Exit code 1, the folder's name, and what to do."""
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "store").touch()
    settings = Settings(csv=small_csv, artifacts=tmp_path / "artifacts")
    result = train(settings, server)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert "artifacts/store: can't be written to: " in line
    assert "--artifacts" in line
    assert "Traceback" not in result.stderr


def test_preparing_a_store_leaves_only_its_folders(tmp_path: Path) -> None:
    """The file that was written to try is gone."""
    Store(folder=tmp_path).prepare()
    assert {path.name for path in tmp_path.rglob("*")} == {"store", "results", "runs"}


def test_a_network_beyond_all_memory_is_refused(settings: Settings, server: str) -> None:
    """Absurd layer sizes are an error that states what they need; the kernel kills nothing."""
    before = contents(settings.artifacts)
    result = train(settings, server, "--hidden-layers", "100000", "100000", "100000")
    assert result.returncode == 1
    assert "--hidden-layers 100000 100000 100000: training would need about" in result.stderr
    assert "Traceback" not in result.stderr
    after = contents(settings.artifacts)
    assert {name: after[name] for name in before} == before
    assert len(complete_runs(settings.artifacts)) == 1
