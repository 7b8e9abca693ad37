"""Commands on two machines, or two homes of one, that share artifacts on a URL and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples.runs import STAGES, changed, manifest, plain_figures, quick, ran
from examples.runs import run as run_flow

from tasks.cache.store import Store
from tasks.champion.promotions import Promotions
from tasks.publish import publish
from tasks.remote import versions
from tasks.remote.mirror import artifacts_folder
from tasks.remote.objects import Objects
from tasks.remote.versions import Version
from tasks.runs.shared_runs import fresh_copy
from tasks.verify import verify

Machine = Callable[..., Any]

CACHED, RAN = dict.fromkeys(STAGES, "cached"), dict.fromkeys(STAGES, "ran")


def read_version(objects: Objects, name: str) -> Version:
    """Return the version of an object that is there."""
    found = versions.read(objects, name)
    assert found
    return found[1]


@pytest.fixture
def machine(digits: Machine, url: str, small_csv: Path, server: str, tmp_path: Path) -> Machine:
    """Run a command in a home of its own and return the object it printed."""

    def run(home: str, command: str, *words: object) -> Any:
        if command in ("train", "plan"):
            words = ("--csv", small_csv, "--recipe", "classic", "--epochs", "5", *words)
        homes = {"XDG_CACHE_HOME": str(tmp_path / home), "PREFECT_API_URL": server}
        done = digits(command, *words, "--artifacts", url, "--json", **homes)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_machines_share_hits_runs_and_the_champion(
    machine: Machine, small_csv: Path, url: str
) -> None:
    """What one has made the others use; what was damaged or cut short there they mend."""
    first = machine("one", "train")
    assert (first["stages"], first["verdict"]) == (RAN, "promoted")
    second = machine("two", "train")
    assert (second["stages"], second["verdict"]) == (CACHED, "unchanged")
    for home in ("one", "two", "three"):
        seen = {run["run"]: run["champion"] for run in machine(home, "runs")}
        assert seen == {first["run"]: True, second["run"]: False}

    assert machine("two", "promote", "latest")["replaced"] == first["run"]
    assert machine("three", "show", "champion")["manifest"]["run"] == second["run"]
    assert machine("three", "predict", small_csv)["rows"] == 200
    assert machine("one", "rollback")["run"] == first["run"]
    settings = machine("two", "show", "champion")["manifest"]["settings"]
    assert settings["artifacts"] == url

    objects = Objects(url)
    stored = [each.name for each in objects.under("store")]
    (weights,) = (name for name in stored if Path(name).match("weights-*.pkl"))
    whole = objects.sha256(weights)
    versions.replace(objects, weights, b"damaged", read_version(objects, weights))
    with fresh_copy(artifacts_folder(url), first["run"]) as copy:
        problems = verify(copy / "runs" / first["run"], Store(folder=copy)).problems
    assert [problem.file for problem in problems] == [weights]
    planned = machine("four", "plan")["stages"]
    assert [stage["state"] for stage in planned] == ["cached", "cached", *["would run"] * 2]
    assert planned[2]["reason"] == f"stored file {Path(weights).name} is missing"
    healed = machine("four", "train")
    assert healed["stages"] == {**CACHED, "train": "ran"}
    assert objects.sha256(weights) == whole

    # As if that run had been killed after its promotion, before its last step.
    last = f"runs/{healed['run']}/manifest.json"
    content, version = versions.read(objects, last) or (b"", None)
    assert objects.copy(last, f"{last}.pending")
    objects.delete([last])
    assert machine("five", "show", "champion")["manifest"] == json.loads(content)
    assert versions.read(objects, last) == (content, version)
    assert not [each for each in objects.under("runs") if each.name.endswith(".pending")]

    assert machine("five", "compare", first["run"], second["run"])["changed_digits"] is not None
    assert objects.copy(last, f"{last}.pending")  # as a kill right after that copy leaves it
    assert machine("five", "verify", "champion")["problems"] == []


def test_a_run_that_is_too_late_is_judged_again(
    url: str, small_csv: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine promotes a better run between its judgement and its promotion."""
    plain_figures(monkeypatch)
    settings = quick(small_csv, artifacts_folder(url))
    first = run_flow(settings)
    rival, objects = first.run, Objects(url)
    add = Promotions.add

    def too_late(promotions: Promotions, *words: Any) -> None:
        monkeypatch.setattr(Promotions, "add", add)
        Promotions(settings.artifacts).add(rival, 0.5, "hand")
        add(promotions, *words)

    monkeypatch.setattr(Promotions, "add", too_late)
    monkeypatch.setattr(publish, "retries", 0)  # one of Prefect's would judge again, too
    objects.delete(["champion.json"])  # so that the second finds none
    pruned = [each.name for each in objects.under("results") + objects.under("store")]
    objects.delete(pruned)  # but not in the mirror
    second = run_flow(changed(settings, seed=1, promotion={"min_gain": 1}))
    assert ran(second) == STAGES[1:]
    assert second.verdict == manifest(second)["verdict"] == "kept"  # promoted, if it were alone
    assert json.loads((second.directory / "metrics.json").read_text())["champion"]["run"] == rival
    assert [entry.run for entry in Promotions(settings.artifacts).entries] == [rival]
    (ingested,) = (name for name in pruned if "/digits-" in name)
    assert objects.size(ingested) is not None  # uploaded again, for this run names it
