"""Retries: one where the disk may be at fault, none where the input is."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from examples.runs import changed, manifest, run

from flows.settings import Settings
from tasks.errors import DataError

PLACES = ["tasks.shuffle_split.read_digits", "tasks.publish.write_report"]


class Trouble:
    """A function that raises the errors it is given, one a call, before it does its work."""

    def __init__(self, work: Callable[..., Any], *errors: Exception) -> None:
        self.work, self.errors, self.calls = work, list(errors), 0

    def __call__(self, *args: Any) -> Any:
        """Raise the next error, or do the work."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.work(*args)


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
