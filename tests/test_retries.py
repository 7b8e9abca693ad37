"""Retries: where the disk or a busy server may be at fault, not where the input is."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from examples.digits import PROJECT
from examples.runs import changed, manifest, run

from flows.settings import Settings
from tasks.errors import DataError

PLACES = ["tasks.shuffle_split.read_info", "tasks.publish.write_report"]


class Trouble:
    """A function that raises the errors it is given, one a call, before it does its work."""

    def __init__(self, work: Callable[..., Any], *errors: Exception) -> None:
        self.work, self.errors, self.calls = work, list(errors), 0

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Raise the next error, or do the work."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.work(*args, **named)


def trouble_at(place: str, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> Trouble:
    """Put trouble in the place of a function."""
    module, name = place.rsplit(".", 1)
    trouble = Trouble(getattr(importlib.import_module(module), name), *errors)
    monkeypatch.setattr(place, trouble)
    return trouble


@pytest.mark.parametrize("place", PLACES)
def test_a_disk_that_answers_the_second_time_is_asked_again(
    settings: Settings, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store on a network may be away for a moment: the run ends well."""
    trouble = trouble_at(place, monkeypatch, OSError("the store is away"))
    published = run(changed(settings, seed=9))
    assert trouble.calls == 2
    assert manifest(published)["run"] == published.run


@pytest.mark.parametrize("place", PLACES)
def test_a_disk_that_stays_away_ends_the_run(
    settings: Settings, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one more try the run fails; earlier runs are unharmed."""
    away = [OSError("the store is away") for _ in range(2)]
    trouble = trouble_at(place, monkeypatch, *away)
    before = sorted(settings.artifacts.glob("runs/*/manifest.json"))
    with pytest.raises(OSError, match="the store is away"):
        run(changed(settings, seed=9))
    assert trouble.calls == 2
    assert sorted(settings.artifacts.glob("runs/*/manifest.json")) == before


@pytest.mark.parametrize("place", PLACES)
def test_bad_input_fails_at_once(
    settings: Settings, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input stays bad, so it is not tried again."""
    trouble = trouble_at(place, monkeypatch, DataError("row 3: no digit"))
    with pytest.raises(DataError, match="row 3"):
        run(changed(settings, seed=9))
    assert trouble.calls == 1


def test_a_server_that_refuses_the_report_fails_no_published_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is complete on disk, and perhaps the champion already: it is not published twice."""
    busy = [httpx.ReadTimeout("busy") for _ in range(2)]
    trouble_at("tasks.report.prefect_page.create_markdown_artifact", monkeypatch, *busy)
    published = run(changed(settings, seed=9))
    assert manifest(published)["run"] == published.run


def test_a_busy_server_is_waited_for() -> None:
    """Many runs at once make SQLite answer 503 again and again; more often than Prefect tries."""
    answers = [503] * 7

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class names it
            self.send_response(answers.pop() if answers else 200)
            self.send_header("Retry-After", "0")  # or the test would wait as long as a run does
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    asked = """
from flows.server.environment import configure_prefect
configure_prefect()
from prefect.client.orchestration import get_client
with get_client(sync_client=True) as client:
    client.request("GET", "/hello").raise_for_status()
"""
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/api"
        environment = {"PREFECT_API_URL": url, "PYTHONPATH": str(PROJECT)}
        words = [sys.executable, "-c", asked]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert answers == []
