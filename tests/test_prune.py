"""`digits prune`: what goes, what stays, and that it never harms a run in use."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclopts import ValidationError
from examples.digits import PROJECT
from examples.runs import changed, ran, run

from flows.cli import app
from flows.settings import Settings
from tasks import prune as prune_module
from tasks.errors import InputError
from tasks.prune import prune
from tasks.remote.mirror import artifacts_folder
from tasks.remote.objects import Objects
from tasks.runs.folders import complete_runs

PLACES = ("runs", "results", "store")  # of what every machine has a use for
RUNS = [f"2026-11-2{day}T03-00-00Z-quiet-owl" for day in range(1, 6)]  # the oldest first


def write(path: Path, content: str | dict[str, Any]) -> Path:
    """Write a file, its folder as well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def key(number: int) -> str:
    """Return a stage key."""
    return f"{number:064x}"


def stored(number: int) -> str:
    """Return the name of a stored file."""
    return f"weights-{number:016x}.pkl"


@pytest.fixture
def on_url(artifacts: Path, url: str) -> Path:
    """Return the mirror of a URL that has the same files."""
    for path in artifacts.rglob("*"):
        if path.is_file() and not path.parent.is_symlink():
            Objects(url).upload(path, path.relative_to(artifacts).as_posix())
    return artifacts_folder(url)


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Return an artifacts folder of five runs; each names a record and a file of its own.

    All of them name record and file 0. The second is the champion.
    """
    artifacts = tmp_path / "artifacts"
    for number in range(6):
        write(artifacts / "results" / key(number), f'{{"name": "{stored(number)}"}}')
        write(artifacts / "store" / stored(number), "12345")
    for number, name in enumerate(RUNS, start=1):
        stages = {
            "ingest": {"key": key(0), "outputs": {stored(0): ""}},
            "train": {"key": key(number), "outputs": {stored(number): ""}},
        }
        write(artifacts / "runs" / name / "weights.pkl", "67")
        write(artifacts / "runs" / name / "manifest.json", {"stages": stages})
    write(artifacts / "champion.json", {"run": RUNS[1], "promotions": []})
    (artifacts / "latest").symlink_to(Path("runs") / RUNS[-1])
    return artifacts


def listing(folder: Path) -> list[str]:
    """Return everything in a folder but the files of locks."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted(path for path in paths if path not in (".in-use", ".champion-lock"))


def removed(artifacts: Path, keep: int = 5) -> set[str]:
    """Prune, and return what is not there any more."""
    before = set(listing(artifacts))
    prune(artifacts, keep, dry_run=False)
    return before - set(listing(artifacts))


def test_the_newest_and_the_champion_stay(artifacts: Path) -> None:
    """Other runs go with the records and stored files that only they name."""
    pruned = prune(artifacts, 2, dry_run=False)
    assert pruned.kept == (RUNS[4], RUNS[3], RUNS[1])
    assert listing(artifacts / "runs") == sorted(
        path
        for name in pruned.kept
        for path in (name, f"{name}/manifest.json", f"{name}/weights.pkl")
    )
    assert listing(artifacts / "results") == [key(number) for number in (0, 2, 4, 5)]
    assert listing(artifacts / "store") == [stored(number) for number in (0, 2, 4, 5)]
    assert [str(removal.path) for removal in pruned.removed] == [
        *(f"runs/{name}" for name in (RUNS[0], RUNS[2])),
        *(f"results/{key(number)}" for number in (1, 3)),
        *(f"store/{stored(number)}" for number in (1, 3)),
    ]
    assert prune(artifacts, 2, dry_run=False).removed == ()


def test_a_dry_run_says_what_the_other_then_does(artifacts: Path) -> None:
    """It deletes nothing, and names the same things and bytes as the run that follows."""
    before = listing(artifacts)
    foreseen = prune(artifacts, 1, dry_run=True)
    assert listing(artifacts) == before
    size = sum(p.lstat().st_size for p in artifacts.rglob("*") if p.is_file())
    done = prune(artifacts, 1, dry_run=False)
    assert foreseen == done.model_copy(update={"dry_run": True})
    size -= sum(p.lstat().st_size for p in artifacts.rglob("*") if p.is_file())
    assert done.bytes == size > 0


def test_what_a_kill_left_goes(artifacts: Path) -> None:
    """Runs without manifest, scratch folders, temporary files and checkpoints are cleaned up."""
    left = [
        write(artifacts / "runs" / "2026-11-29T03-00-00Z-cut-short" / "weights.pkl", "1").parent,
        write(artifacts / "store" / ".new-x1y2z3_0" / "digits.parquet", "1").parent,
        write(artifacts / "sweeps" / ".new-_a4b5c6d" / RUNS[0] / "results.csv", "1").parents[1],
        write(artifacts / ".champion.json-0123abcd", "{"),
        write(artifacts / "checkpoints" / key(9), "1"),
        write(artifacts / "checkpoints" / f"{key(8)}.npz", "1"),
        write(artifacts / "checkpoints" / f".{key(9)}-0123abcd", "1"),
        write(artifacts / "results" / f".{key(9)}-0123abcd", "1"),
    ]
    link = artifacts / ".latest-0123abcd"
    link.symlink_to(Path("runs") / RUNS[0])
    pruned = prune(artifacts, 5, dry_run=False)
    assert {artifacts / removal.path for removal in pruned.removed} == {*left, link}
    assert not any(os.path.lexists(path) for path in [*left, link])
    assert pruned.kept == tuple(reversed(RUNS))


def test_other_things_stay(artifacts: Path) -> None:
    """Whatever is not named as runs and stages name things is somebody else's."""
    others = [
        write(artifacts / "runs" / "tensorboard" / "events", "1"),
        write(artifacts / "results" / "table.csv", "1"),
        write(artifacts / "store" / "notes.txt", "1"),
        write(artifacts / "checkpoints" / "README", "1"),
        write(artifacts / "sweeps" / RUNS[0] / "sweep.json", "{}"),
        write(artifacts / "predictions" / ".read.csv-0123abcd", "1"),
        write(artifacts / "predictions" / f"{RUNS[0]}.csv", "1"),
        write(artifacts / "README.md", "1"),
        write(artifacts / "runs" / "our-best" / "manifest.json", {"stages": {}}),
    ]
    assert removed(artifacts) == set()
    assert all(path.exists() for path in others)
    assert prune(artifacts, 1, dry_run=True).kept == ("our-best", RUNS[4], RUNS[1])


def test_links_are_not_followed(artifacts: Path, tmp_path: Path) -> None:
    """Nothing outside the folder is touched, whatever in it leads there."""
    outside = tmp_path / "outside"
    write(outside / "store" / stored(77), "1")
    write(outside / "run" / "manifest.json", {"stages": {}})
    before = listing(outside)
    (artifacts / "runs" / "2026-11-01T03-00-00Z-linked").symlink_to(outside / "run")
    (artifacts / "runs" / RUNS[0] / "elsewhere").symlink_to(outside)
    (artifacts / "store" / stored(78)).symlink_to(outside / "store" / stored(77))
    (artifacts / "checkpoints").symlink_to(outside / "store")
    prune(artifacts, 1, dry_run=False)
    assert listing(outside) == before
    assert not (artifacts / "runs" / RUNS[0]).exists()


def test_latest_never_dangles(artifacts: Path) -> None:
    """A kill may have left `latest` at a run that goes now; it is moved on before that."""
    (artifacts / "latest").unlink()
    (artifacts / "latest").symlink_to(Path("runs") / RUNS[2])
    prune(artifacts, 1, dry_run=False)
    assert (artifacts / "latest").resolve().name == RUNS[4]


def test_a_file_that_only_a_kept_record_names_stays(artifacts: Path) -> None:
    """A stage that healed with other bytes than its run's manifest says is still cached."""
    write(artifacts / "store" / stored(50), "1")
    write(artifacts / "results" / key(5), json.dumps({"result": f'{{"name": "{stored(50)}"}}'}))
    assert removed(artifacts, 5) == set()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"stages": {"train": 1}}', "\0"])
def test_a_damaged_manifest_stops_it(artifacts: Path, content: str) -> None:
    """What a kept run needs is not known then, so nothing is deleted, and it is said which."""
    write(artifacts / "runs" / RUNS[4] / "manifest.json", content)
    before = listing(artifacts)
    with pytest.raises(InputError, match=f"{RUNS[4]}/manifest.json: damaged, so what this run"):
        prune(artifacts, 1, dry_run=False)
    assert listing(artifacts) == before


def test_a_damaged_champion_file_stops_it(artifacts: Path) -> None:
    """Which run is the champion is not known then, so nothing is deleted."""
    write(artifacts / "champion.json", "{")
    before = listing(artifacts)
    with pytest.raises(InputError, match=r"champion\.json"):
        prune(artifacts, 1, dry_run=False)
    assert listing(artifacts) == before


def test_a_run_that_is_deleted_half_way_is_no_run(
    artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest goes first, so a prune that is killed leaves no run that looks whole."""

    def killed(path: Path) -> None:
        raise SystemExit(str(path))

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(SystemExit, match=RUNS[0]):
        prune(artifacts, 1, dry_run=False)
    assert not (artifacts / "runs" / RUNS[0] / "manifest.json").exists()
    assert (artifacts / "runs" / RUNS[0] / "weights.pkl").exists()
    monkeypatch.undo()
    assert f"runs/{RUNS[0]}" in removed(artifacts)


def test_a_running_flow_stops_it(artifacts: Path, digits: Any) -> None:
    """While another process uses the folder nothing is deleted: one line, exit code 1."""
    hold = (
        "import sys; from pathlib import Path; from tasks.runs.run import Run\n"
        "with Run(Path(sys.argv[1]), 'quiet-owl'): print('held', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    before = listing(artifacts)
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(artifacts)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as flow:
        assert flow.stdout is not None
        assert flow.stdout.readline() == b"held\n"
        for words in ((), ("--dry-run",), ("--json",)):
            result = digits("prune", "--keep", 1, *words, "--artifacts", artifacts)
            assert (result.returncode, result.stdout) == (1, "")
            assert result.stderr.startswith(f"error: {artifacts}: in use by a running flow")
            assert result.stderr.count("\n") == 1
        assert listing(artifacts) == before
        flow.kill()
    result = digits("prune", "--keep", 1, "--artifacts", artifacts, "--json")
    assert json.loads(result.stdout)["kept"] == [RUNS[4], RUNS[1]]


def test_on_the_terminal(artifacts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what goes, why, and how much that frees."""
    app(["prune", "--keep", "4", "--dry-run", "--artifacts", str(artifacts)])
    said = capsys.readouterr().out
    assert f"not among the newest 4:\n  runs/{RUNS[0]} (" in said
    assert "bytes would be freed; nothing was deleted; 4 runs kept" in said


def test_what_makes_no_sense_is_refused(artifacts: Path, tmp_path: Path) -> None:
    """At least one run has to stay, and a folder that is not there is not made."""
    with pytest.raises(ValidationError, match="Must be >= 1"):
        app(["prune", "--keep", "0"], exit_on_error=False, print_error=False)
    with pytest.raises(InputError, match="no such folder"):
        prune(tmp_path / "typo", 1, dry_run=False)
    assert not (tmp_path / "typo").exists()


def test_kept_runs_are_still_cached(settings: Settings) -> None:
    """After pruning, the settings of a kept run rerun no stage."""
    kept = changed(settings, training={"epochs": 3})
    run(changed(settings, training={"epochs": 4}))
    published = run(kept)
    pruned = prune(settings.artifacts, 1, dry_run=False)
    assert pruned.removed
    assert pruned.kept[0] == published.run
    assert ran(run(kept)) == []


def names(url: str) -> set[str]:
    """Return the names of all objects that prune looks at."""
    return {each.name for place in PLACES for each in Objects(url).under(place)}


def test_on_a_url_the_same_goes(
    artifacts: Path, on_url: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There and in the mirror; what is left is what a folder would be left with."""
    write(artifacts / "store" / stored(66), "of a run cut short")
    write(artifacts / "runs" / "2026-11-29T03-00-00Z-late-owl" / "weights.pkl", "67")
    for name in (f"store/{stored(66)}", "runs/2026-11-29T03-00-00Z-late-owl/weights.pkl"):
        Objects(url).upload(artifacts / name, name)
    monkeypatch.setattr(prune_module, "SECONDS_ON_URL", -60)
    assert prune(on_url, 2, dry_run=True).removed == prune(artifacts, 2, dry_run=True).removed
    assert prune(on_url, 2, dry_run=False) == prune(artifacts, 2, dry_run=False)
    folders = [artifacts / place for place in PLACES]
    left = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert names(url) == {path.relative_to(artifacts).as_posix() for path in left}
    assert {run.name for run in complete_runs(on_url)} == {RUNS[1], RUNS[3], RUNS[4]}


def test_on_a_url_what_is_young_stays(on_url: Path, url: str) -> None:
    """But for complete runs: a flow on another machine may be about to use it."""
    before = names(url)
    going = {removal.path.as_posix() for removal in prune(on_url, 2, dry_run=False).removed}
    assert going == {f"runs/{RUNS[0]}", f"runs/{RUNS[2]}"}
    assert {name.rpartition("/")[0] for name in before - names(url)} == going


def test_what_a_kill_left_in_a_mirror_goes(on_url: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what is young, because a command may be downloading; what is complete stays."""
    prune(on_url, 5, dry_run=False)  # downloads the runs' manifests
    whole = listing(on_url)
    left = [
        write(on_url / "runs" / "2026-11-29T03-00-00Z-only-here" / "figures" / "cost.svg", "1"),
        write(on_url / "runs" / RUNS[4] / "figures" / ".cost.svg-0123abcd", "1"),
        write(on_url / "runs" / RUNS[4] / ".weights.pkl-0123abcd", "1"),
        write(on_url / "store" / f".{stored(1)}-0123abcd", "1"),
        write(on_url / "store" / ".new-x1y2z3_0" / "digits.parquet", "1"),
        write(on_url / "results" / f".{key(1)}-0123abcd", "1"),
        write(on_url / "sweeps" / RUNS[0] / "sweep.json.pending", "1"),
        write(on_url / "checkpoints" / key(9), "1"),
        write(on_url / ".index.html-0123abcd", "1"),
    ]
    for path in left:
        os.utime(path, (0, 0))  # as a download has the time of its object
    assert prune(on_url, 5, dry_run=False).removed == ()
    monkeypatch.setattr(prune_module, "SECONDS_ON_URL", -60)
    assert len(prune(on_url, 5, dry_run=False).removed) == len(left)
    folders = {"checkpoints", "results", "store", "sweeps", f"runs/{RUNS[4]}/figures"}
    assert set(listing(on_url)) == {*whole, *folders}


def test_on_a_url_the_manifest_goes_first(
    on_url: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prune that is killed leaves no run that looks whole, nor a record without its files."""
    delete = Objects.delete
    deleted: list[str] = []

    def watched(objects: Objects, names: list[str]) -> None:
        deleted.extend(names)
        delete(objects, names)

    monkeypatch.setattr(Objects, "delete", watched)
    monkeypatch.setattr(prune_module, "SECONDS_ON_URL", -60)
    prune(on_url, 2, dry_run=False)
    manifests = [f"runs/{name}/manifest.json" for name in (RUNS[0], RUNS[2])]
    assert deleted[:2] == manifests
    places = [name.split("/")[0] for name in deleted]
    assert places == sorted(places, key=PLACES.index)
