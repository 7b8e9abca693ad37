"""The server that a command starts for itself: only where none is configured, never left over."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Digits
from examples.digits import PROJECT

from flows.server import temporary_server


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the commands that would be run, in a folder and a Prefect home without settings."""
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PREFECT_UI_URL", "")  # so that it is put back
    monkeypatch.delenv("PREFECT_PROFILES_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    commands: list[list[str]] = []

    def popen(words: list[str], **_: Any) -> None:
        commands.append(words)
        monkeypatch.setenv("PREFECT_API_URL", "")  # so that it is put back

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr("atexit.register", lambda *_: None)
    return commands


PROFILES = """
active = "ours"
[profiles.ours]
{ours}
[profiles.local]
PREFECT_API_URL = "http://127.0.0.1:4200/api"
"""


def test_where_nothing_is_configured_a_server_is_started(started: list[list[str]]) -> None:
    """Its own port, and the address in the environment for whatever imports Prefect later."""
    temporary_server.start_in_background()
    ((_, _, starter, uvicorn, *words),) = started
    assert starter == "flows.server.ends_with_starter"
    assert uvicorn == "uvicorn"
    assert "flows.server.app:create_app" in words


def test_a_profile_that_is_not_active_does_not_count(
    started: list[list[str]], tmp_path: Path
) -> None:
    """Prefect would not use it either."""
    (tmp_path / "home" / "profiles.toml").write_text(PROFILES.format(ours=""))
    temporary_server.start_in_background()
    assert started


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("home/profiles.toml", PROFILES.format(ours='PREFECT_API_URL = "http://here/api"')),
        ("prefect.toml", '[api]\nurl = "http://here/api"'),
        ("pyproject.toml", '[tool.prefect.api]\nurl = "http://here/api"'),
        (".env", "A=1\nPREFECT_API_URL=http://here/api"),
    ],
)
def test_a_configured_api_is_left_to_prefect(
    started: list[list[str]], tmp_path: Path, file: str, text: str
) -> None:
    """Every file that Prefect reads settings from counts."""
    (tmp_path / file).write_text(text)
    temporary_server.start_in_background()()
    assert started == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("PREFECT_API_URL", "http://here/api"), ("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "False")],
)
def test_the_environment_counts(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """An address, or a refusal of temporary servers."""
    monkeypatch.setenv(name, value)
    temporary_server.start_in_background()()
    assert started == []


def test_files_that_are_no_toml_are_left_to_prefect(
    started: list[list[str]], tmp_path: Path
) -> None:
    """Prefect says what is wrong with them."""
    (tmp_path / "prefect.toml").write_text("no toml")
    temporary_server.start_in_background()
    assert started


def module(folder: Path, text: str) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a Python module that ends with its starter."""
    (folder / "started.py").write_text(text)
    path = os.pathsep.join([str(folder), str(PROJECT)])
    command = [sys.executable, "-m", "flows.server.ends_with_starter", "started"]
    return command, {**os.environ, "PYTHONPATH": path}


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_ends_with_its_starter(harm: signal.Signals, tmp_path: Path) -> None:
    """Even kill -9 of the starter leaves no process behind."""
    text = "import time; print('up', flush=True); time.sleep(600)"
    command, environment = module(tmp_path, text)
    start = f"""
import subprocess, time
started = subprocess.Popen({command}, stdin=subprocess.PIPE, start_new_session=True)
time.sleep(600)"""
    words = [sys.executable, "-c", start]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as it:
        assert it.stdout
        assert it.stdout.readline() == b"up\n"
        it.send_signal(harm)
        assert it.stdout.read() == b"", "ends when no process is left that could write to it"


def test_a_process_that_ends_by_itself_returns_its_code(tmp_path: Path) -> None:
    """It is the module's own process: nothing stands between the two that could be killed."""
    command, environment = module(tmp_path, "import sys; sys.exit(7 if sys.argv[1:] else 8)")
    with subprocess.Popen([*command, "word"], env=environment, stdin=subprocess.PIPE) as it:
        assert it.wait(60) == 7


def test_a_home_that_can_not_be_written_to_is_a_failure_in_one_line(
    cold_digits: Digits, small_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, the folder and what to do; no server is started to fail on it."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    home = small_csv / "home"  # beneath a file
    result = cold_digits("train", "--csv", small_csv, PREFECT_HOME=str(home))
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: {home}: Prefect's folder can't be written to: ")
    assert "PREFECT_HOME" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "artifacts" / "runs").exists()


def test_a_server_that_does_not_start_is_a_failure_in_one_line(
    digits: Digits, small_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, and no traceback of ours; nothing was begun."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    nowhere = f"sqlite+aiosqlite:///{tmp_path}/no/such/folder/prefect.db"
    home = str(tmp_path / "home")
    result = digits(
        "train",
        "--csv",
        small_csv,
        PREFECT_HOME=home,
        PREFECT_API_DATABASE_CONNECTION_URL=nowhere,
    )
    assert result.returncode == 1
    assert "error: the temporary Prefect server ended with code" in result.stderr
    assert "flows/" not in result.stderr
    assert not (tmp_path / "artifacts" / "runs").exists()
