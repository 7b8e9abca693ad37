"""Whatever takes the place of a file of ours: it heals or is named, and nothing hangs."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from examples.runs import STAGES, manifest, ran, run

from flows.commands.runs import runs
from flows.commands.show import show
from flows.settings import Settings
from flows.stages import stages
from tasks.cache.json_file import MOST_BYTES, read_object
from tasks.champion.promotions import Promotions
from tasks.errors import InputError
from tasks.runs.past_runs import DamagedRun, all_runs
from tasks.runs.plan import Plan
from tasks.training.checkpoint import Checkpoint


def deep(path: Path) -> None:
    """Write JSON that is nested deeper than any parser goes."""
    path.write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")


def huge(path: Path) -> None:
    """Write a gigabyte, which takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(1 << 30)


def device(path: Path) -> None:
    """Link to a device that never ends."""
    path.symlink_to("/dev/zero")


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "deep": (deep, "not JSON: nested too deep"),
    "huge": (huge, f"larger than {MOST_BYTES >> 20} MB"),
    "list": (lambda path: path.write_text("[]"), "not a JSON object"),
    "torn": (lambda path: path.write_text('{"run": '), "not JSON"),
    "folder": (lambda path: path.mkdir(), "Is a directory"),
    "pipe": (lambda path: os.mkfifo(path), "not a file"),
    "device": (device, "not a file"),
    "no file": (lambda path: path.symlink_to("nowhere"), "can't be read"),
}


def put(harm: str, path: Path) -> None:
    """Put something else in the place of a file."""
    path.unlink()
    HARMS[harm][0](path)


@pytest.mark.parametrize("harm", HARMS)
def test_a_json_file_is_an_object_or_an_error_with_a_reason(harm: str, tmp_path: Path) -> None:
    """Nothing that can be at a path makes reading hang, fill the memory or raise anything else."""
    HARMS[harm][0](tmp_path / "file.json")
    with pytest.raises(InputError, match=HARMS[harm][1]):
        read_object(tmp_path / "file.json")


@pytest.fixture
def old_runs(settings: Settings) -> list[Path]:
    """Return the folders of copies of the finished run, two for every harm."""
    (finished,) = (settings.artifacts / "runs").iterdir()
    names = [f"2026-01-{day:02}T00-00-00Z-old" for day in range(1, 2 * len(HARMS) + 1)]
    return [shutil.copytree(finished, finished.with_name(name)) for name in names]


def test_a_damaged_run_is_shown_as_such_and_harms_no_other(
    settings: Settings, old_runs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The next run ends well; the table, its JSON and the index name each damaged one and why."""
    reasons = {}
    for number, (harm, (_, reason)) in enumerate(HARMS.items()):
        put(harm, old_runs[2 * number] / "metrics.json")
        reasons[old_runs[2 * number].name] = reason
        put(harm, old_runs[2 * number + 1] / "manifest.json")
        if harm != "no file":  # without a manifest it is no run
            reasons[old_runs[2 * number + 1].name] = reason
    published = run(settings)
    assert ran(published) == []
    found = list(all_runs(settings.artifacts))
    damaged = {each.run: each.damage for each in found if isinstance(each, DamagedRun)}
    assert damaged.keys() == reasons.keys()
    assert all(reason in damaged[name] for name, reason in reasons.items())
    assert len(found) - len(damaged) == 2

    runs(artifacts=settings.artifacts)
    shown = capsys.readouterr().out
    runs(artifacts=settings.artifacts, json=True)
    listed = {each["run"]: each for each in json.loads(capsys.readouterr().out)}
    page = (settings.artifacts / "index.html").read_text()
    assert f"{len(damaged)} damaged runs" in page
    for name in damaged:
        assert name in shown
        assert name in page
        assert listed[name]["damage"] == damaged[name]
    assert listed[published.run]["accuracy"] == published.accuracy


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_champion_file_is_named_and_replaced(
    settings: Settings, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is put aside by the next promotion, and until then every command goes on without it."""
    champion = settings.artifacts / "champion.json"
    put(harm, champion)
    runs(artifacts=settings.artifacts)
    assert "champion.json is damaged" in capsys.readouterr().out
    published = run(settings)
    assert published.verdict == "promoted"
    assert "champion.json is damaged" in manifest(published)["verdict_reason"]
    assert Promotions(settings.artifacts).champion == published.run
    aside = champion.with_name("champion.json.damaged")
    assert aside.exists() or aside.is_symlink()


@pytest.mark.parametrize("harms", [["folder", "pipe", "device", "no file"], ["deep", "huge"]])
def test_what_is_in_a_stored_file_s_place_is_replaced(settings: Settings, harms: list[str]) -> None:
    """Stored files and result records are made again, whatever has their names."""
    stored = sorted((settings.artifacts / "store").iterdir())
    whole = {path: path.read_bytes() for path in stored}
    for number, path in enumerate(stored):
        put(harms[number % len(harms)], path)
    assert ran(run(settings)) == STAGES
    assert {path: path.read_bytes() for path in stored} == whole
    for number, path in enumerate(sorted((settings.artifacts / "results").iterdir())):
        put(harms[number % len(harms)], path)
    assert ran(run(settings)) == STAGES
    planned = Plan(settings.artifacts)
    stages(planned, settings)
    assert {each.state for each in planned.stages} == {"cached"}


@pytest.mark.parametrize("name", ["latest", "index.html"])
def test_a_folder_in_the_way_of_an_overview_is_left_alone(settings: Settings, name: str) -> None:
    """The run is complete without it; what somebody put there is not deleted."""
    path = settings.artifacts / name
    path.unlink()
    path.mkdir()
    (path / "precious").touch()
    published = run(settings)
    assert (published.directory / "manifest.json").exists()
    assert (path / "precious").exists()
    assert not [each for each in settings.artifacts.glob(f".{name}-*")]


@pytest.mark.parametrize("harm", ["pipe", "folder"])
@pytest.mark.parametrize("name", [".in-use", ".champion-lock"])
def test_a_lock_s_file_may_be_anything(settings: Settings, name: str, harm: str) -> None:
    """A pipe of its name locks as well; a folder is named."""
    put(harm, settings.artifacts / name)
    if harm == "pipe":
        assert ran(run(settings)) == []
        return
    with pytest.raises(OSError, match=name):
        run(settings)


@pytest.mark.parametrize("file", ["manifest.json", "metrics.json"])
def test_showing_a_damaged_run_names_it(settings: Settings, file: str) -> None:
    """What is JSON and has not the fields of a run is one clear error."""
    (folder,) = (settings.artifacts / "runs").iterdir()
    (folder / file).write_text("{}")
    with pytest.raises(InputError, match=r"is damaged .* digits verify latest"):
        show("latest", artifacts=settings.artifacts)


@pytest.mark.parametrize("harm", ["folder", "pipe", "device", "no file"])
def test_what_is_in_a_checkpoint_s_place_is_replaced(harm: str, tmp_path: Path) -> None:
    """A training starts from the beginning, and its next checkpoint can be saved."""
    HARMS[harm][0](tmp_path / "key")
    assert Checkpoint(tmp_path / "key").load() is None
    assert not (tmp_path / "key").exists()
    assert not (tmp_path / "key").is_symlink()
