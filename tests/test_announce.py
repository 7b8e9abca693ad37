"""Events: every end of a run is one, with what an automation needs to report it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from examples.runs import changed, run

from flows.settings import Settings
from tasks.errors import DataError


@pytest.mark.parametrize(
    ("outcome", "changes"),
    [
        ("kept", {"seed": 9, "promotion": {"min_gain": 1.0}}),
        ("promoted", {"training": {"l2": 0.5}, "promotion": {"max_recall_drop": 1.0}}),
        ("unchanged", {}),
        ("failed", {"data": {"classes": tuple(range(11))}}),  # there are no tens
    ],
)
def test_the_end_of_a_run_is_an_event(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, outcome: str, changes: dict[str, Any]
) -> None:
    """One event, named by the outcome; accuracy and folder wherever there are any."""
    events: list[dict[str, Any]] = []
    monkeypatch.setattr("flows.announce.emit_event", lambda **event: events.append(event))
    with suppress(DataError):
        run(changed(settings, **changes))
    (event,) = events
    assert event["event"] == f"digits.run.{outcome}"
    assert event["resource"]["prefect.resource.name"]
    if outcome == "failed":
        assert event["payload"]["accuracy"] is event["payload"]["directory"] is None
        assert "no image is labelled 10" in event["payload"]["message"]
    else:
        assert 0 <= event["payload"]["accuracy"] <= 1
        assert Path(event["payload"]["directory"], "manifest.json").is_file()
