"""Whatever happens to a stored file or a result record, it is a miss or exactly what it was."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from examples.runs import STAGES, ran, run

from flows.settings import Settings
from flows.stages import stages
from tasks.runs.plan import Plan

pytestmark = pytest.mark.usefixtures("server")

HARMS: dict[str, Callable[[bytes], bytes | None]] = {
    "deleted": lambda content: None,
    "truncated": lambda content: content[:-1],
    "emptied": lambda content: b"",
    "flipped": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
}


def harm(path: Path, how: str) -> None:
    """Do something to a file."""
    content = HARMS[how](path.read_bytes())
    path.unlink() if content is None else path.write_bytes(content)


def foreseen(settings: Settings) -> Plan:
    """Return what a run would do."""
    plan = Plan(settings.artifacts)
    stages(plan, settings)
    return plan


def first_to_run(settings: Settings) -> tuple[str, str]:
    """Return the first stage that would run, and why."""
    would = [each for each in foreseen(settings).stages if each.state == "would run"]
    return (would[0].stage, would[0].reason) if would else ("", "")


def maker(settings: Settings) -> dict[str, str]:
    """Return which stage made each stored file."""
    (manifest,) = settings.artifacts.glob("runs/*/manifest.json")
    described = json.loads(manifest.read_text())["stages"]
    return {file: stage for stage in STAGES for file in described[stage]["outputs"]}


@pytest.mark.parametrize("how", HARMS)
def test_every_stored_file_is_looked_at(settings: Settings, how: str) -> None:
    """Harm to any file in the store makes the stage that made it run, with the file's name."""
    made_by = maker(settings)
    assert made_by.keys() == {path.name for path in settings.artifacts.glob("store/*")}
    for name, stage in made_by.items():
        path = settings.artifacts / "store" / name
        whole = path.read_bytes()
        harm(path, how)
        wrong = "is missing" if how == "deleted" else "was altered: its content has another digest"
        assert first_to_run(settings) == (stage, f"stored file {name} {wrong}")
        path.write_bytes(whole)
    assert first_to_run(settings) == ("", "")


@pytest.mark.parametrize("how", HARMS)
def test_harmed_files_and_records_are_made_again(settings: Settings, how: str) -> None:
    """All of them at once: the next run makes the very same files and is then cached again."""
    files = {path: path.read_bytes() for path in settings.artifacts.glob("store/*")}
    for path in [*files, *settings.artifacts.glob("results/*")]:
        harm(path, how)
    assert ran(run(settings)) == STAGES
    assert {path: path.read_bytes() for path in settings.artifacts.glob("store/*")} == files
    assert ran(run(settings)) == []


def test_a_flipped_byte_in_a_record_never_gives_another_result(settings: Settings) -> None:
    """Wherever it is, the record is refused or says what it said: no number passes altered."""
    made_by = maker(settings)
    rng = np.random.default_rng(4)
    records = sorted(settings.artifacts.glob("results/*"))
    assert len(records) == len(STAGES)
    refused = 0
    for record in records:
        whole = record.read_bytes()
        for position in rng.choice(len(whole), size=60, replace=False):
            flipped = bytearray(whole)
            flipped[position] ^= 1 << rng.integers(8)
            record.write_bytes(flipped)
            stage, reason = first_to_run(settings)
            assert stage or maker(settings) == made_by
            if stage:
                assert reason.startswith(("result record", "stored file"))
                refused += 1
        record.write_bytes(whole)
    assert refused > len(records) * 30, "most of a record is its result"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"record": "Trained"', '"record": "Network"'),  # a class that was renamed since
        ('"rows": 200', '"rows": 201'),
        ("digits-record", "pickle"),
    ],
)
def test_a_record_of_another_kind_is_refused(settings: Settings, old: str, new: str) -> None:
    """No record of an unknown class, with an altered number or for another reader is used."""
    escaped_old, escaped_new = (text.replace('"', '\\"') for text in (old, new))
    changed = 0
    for record in settings.artifacts.glob("results/*"):
        text = record.read_text()
        record.write_text(text.replace(escaped_old, escaped_new))
        changed += record.read_text() != text
    assert changed
    assert first_to_run(settings)[1].startswith("result record")
    assert ran(run(settings)) != []
