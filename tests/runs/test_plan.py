"""`digits plan` and `--refresh`: what would run and why, and what runs when asked to."""

import json
from typing import Any

import pytest
from examples.runs import STAGES, changed, manifest, ran, run

from flows.settings import Settings
from flows.stages import stages
from tasks.runs.plan import Plan

pytestmark = pytest.mark.usefixtures("server")


def plan(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return each stage's state and reason."""
    foreseen = Plan(settings.artifacts, settings.refresh)
    stages(foreseen, settings)
    return {each.stage: (each.state, each.reason) for each in foreseen.stages}


def would_run(planned: dict[str, tuple[str, str]]) -> list[str]:
    """Return the stages that would run."""
    return [stage for stage, (state, _) in planned.items() if state == "would run"]


def test_before_the_first_run_everything_would_run(settings: Settings) -> None:
    """The first stage says so, the others wait for it."""
    planned = plan(changed(settings, artifacts=settings.artifacts / "none"))
    assert would_run(planned) == STAGES
    assert planned["ingest"][1] == "first run"
    assert planned["shuffle_split"][1] == "depends on ingest, which would run"
    assert not (settings.artifacts / "none").exists(), "a plan leaves nothing"


def test_after_a_run_everything_is_cached(settings: Settings) -> None:
    """Nothing would run where nothing changed."""
    assert would_run(plan(settings)) == []


@pytest.mark.parametrize(
    ("change", "first", "reason"),
    [
        ({"training": {"l2": 0.5}}, "train", "training.l2 changed 1.0 → 0.5"),
        ({"seed": 1}, "shuffle_split", "seed changed 0 → 1"),
        ({"data": {"pixel_max": 250}}, "ingest", "data.pixel_max changed 255.0 → 250.0"),
    ],
)
def test_a_run_does_what_the_plan_says(
    settings: Settings, change: dict[str, Any], first: str, reason: str
) -> None:
    """What would run does run, and for the reason that the plan gave; the manifest has it."""
    planned = plan(changed(settings, **change))
    assert planned[first] == ("would run", reason)
    published = run(changed(settings, **change))
    assert ran(published) == would_run(planned)
    assert manifest(published)["stages"][first]["reason"] == reason


def test_a_stage_that_waits_also_names_its_own_changes(settings: Settings) -> None:
    """A stage that depends on another is reported with its own changed settings."""
    planned = plan(changed(settings, seed=1, training={"epochs": 6}))
    assert planned["train"][1] == (
        "depends on shuffle_split, which would run; "
        "seed changed 0 → 1; training.epochs changed 5 → 6"
    )


def test_a_damaged_file_is_reported(settings: Settings) -> None:
    """The plan looks at the stored files, as a run does."""
    (weights,) = (settings.artifacts / "store").glob("weights-*.pkl")
    weights.write_bytes(weights.read_bytes()[:-1])
    wrong = "was altered: its content has another digest"
    assert plan(settings)["train"] == ("would run", f"stored file {weights.name} {wrong}")


def test_refresh_runs_a_stage_and_only_what_it_changes(settings: Settings) -> None:
    """A refreshed stage runs; as it makes the same bytes, the stages after it stay cached."""
    refreshed = changed(settings, refresh=("train",))
    assert plan(refreshed)["train"] == ("would run", "refresh was asked for")
    published = run(refreshed)
    assert ran(published) == ["train"]
    assert manifest(published)["stages"]["train"]["reason"] == "refresh was asked for"


def test_plan_and_refresh_at_the_command_line(digits: Any, settings: Settings) -> None:
    """`digits plan --json` prints one object, touches nothing, and asks no server."""
    words = ("plan", "--csv", settings.csv, "--recipe", "classic", "--epochs", 5)
    before = sorted(settings.artifacts.rglob("*"))
    nowhere = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    for option, expected in (([], []), (["--refresh"], STAGES), (["--refresh", "train"], None)):
        result = digits(*words, "--artifacts", settings.artifacts, "--json", *option, **nowhere)
        assert result.returncode == 0, result.stderr
        planned = json.loads(result.stdout)["stages"]
        states = [each["stage"] for each in planned if each["state"] == "would run"]
        assert states == (["train", "evaluate"] if expected is None else expected)
    assert sorted(settings.artifacts.rglob("*")) == before


def test_a_bad_csv_is_one_clear_line(digits: Any) -> None:
    """Bad input ends a plan as it ends a run: exit code 2 and no traceback."""
    result = digits("plan", "--csv", "missing.csv")
    assert result.returncode == 2
    assert "missing.csv: no such file" in result.stderr
    assert "Traceback" not in result.stderr
