"""`digits verify`: whatever was altered in a run or in its stored files is named."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples.digits import PROJECT
from examples.runs import changed, run

from flows.settings import Settings
from network.weights import dump_weights, load_weights
from tasks.cache.key import StageKey
from tasks.cache.store import Store, sha256_of
from tasks.runs.manifest import seal_manifest
from tasks.verify import Verification, verify


@pytest.fixture
def artifacts(settings: Settings) -> Path:
    """Return the artifacts folder of one finished run."""
    return settings.artifacts


@pytest.fixture
def folder(artifacts: Path) -> Path:
    """Return the finished run's folder."""
    (run,) = (artifacts / "runs").iterdir()
    return run


def verified(folder: Path) -> Verification:
    """Verify a run with the store of its artifacts folder."""
    return verify(folder, Store(folder=folder.parent.parent))


def problems(folder: Path) -> dict[str, list[str]]:
    """Return what verify finds, by file."""
    found: dict[str, list[str]] = {}
    for each in verified(folder).problems:
        found.setdefault(each.file, []).append(each.problem)
    return found


def reseal(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit a manifest as a forger does, who knows how to seal it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["manifest_sha256"]
    edit(manifest)
    seal_manifest(path, manifest)


def test_an_untouched_run_is_as_published(folder: Path) -> None:
    """Nothing is found, and the accuracy that is recomputed is the one that was published."""
    result = verified(folder)
    assert result.problems == []
    assert (result.files, result.stored_files) == (16, 15)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (result.accuracy, result.test_rows) == (metrics["accuracy"], metrics["test_rows"])


def flip(path: Path, whole: bytes) -> None:
    """Change one bit in the middle."""
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])


HARMS: dict[str, Callable[[Path, bytes], object]] = {
    "flipped": flip,
    "truncated": lambda path, whole: path.write_bytes(whole[:-1]),
    "emptied": lambda path, whole: path.write_bytes(b""),
    "lengthened": lambda path, whole: path.write_bytes(whole + b" "),
    "deleted": lambda path, whole: path.unlink(),
}


@pytest.mark.parametrize("harm", HARMS)
def test_harm_to_any_file_is_named(artifacts: Path, folder: Path, harm: str) -> None:
    """Whichever file of the run or of the store is damaged, that one is named and no other."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}
    files |= {f"store/{path.name}": path for path in (artifacts / "store").iterdir()}
    assert len(files) == 31
    for name, path in files.items():
        whole = path.read_bytes()
        HARMS[harm](path, whole)
        assert set(problems(folder)) == {name}, name
        path.write_bytes(whole)
    assert problems(folder) == {}


def test_what_was_added_is_named(folder: Path) -> None:
    """A file, a link or a pipe that the manifest does not name is reported, and not opened."""
    (folder / "figures" / "more.png").write_bytes(b"ink")
    (folder / "more\n.txt").write_text("ink")
    (folder / "link").symlink_to(folder / "figures", target_is_directory=True)
    os.mkfifo(folder / "pipe")
    unnamed = ["is not named in the manifest"]
    assert problems(folder) == dict.fromkeys(
        ["figures/more.png", "link", "more\n.txt", "pipe"], unnamed
    )


def test_a_pipe_in_a_file_s_place_is_named(folder: Path) -> None:
    """Verifying does not wait for somebody to write into it."""
    (folder / "report.md").unlink()
    os.mkfifo(folder / "report.md")
    assert problems(folder) == {"report.md": ["is not a file"]}


def test_an_edited_accuracy_is_reported_with_the_right_one(folder: Path) -> None:
    """The reader sees what the file claims and what the weights really reach."""
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())
    right = metrics["accuracy"]
    path.write_text(json.dumps({**metrics, "accuracy": 0.999}, indent=2))
    altered, claimed = problems(folder)["metrics.json"]
    assert "was altered" in altered
    assert claimed == f"has accuracy 0.999, but {right} is right"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"seed": 0', '"seed": 1'),
        ('"reason": "first run"', '"reason": "no reason"'),
        ('"dirty"', '"Dirty"'),
        ('"seconds": ', '"seconds": 1'),
        ('"settings": {', '"settings":  {'),
        ('"manifest_sha256": "', '"manifest_sha256": "0'),
        ('"manifest_sha256"', '"sha256"'),
        ('"stages": {', '"stages": 0, "phases": {'),
        ("{", "["),
    ],
)
def test_an_edited_manifest_is_named(folder: Path, before: str, after: str) -> None:
    """Any edit of the manifest itself breaks its seal, even one that means nothing."""
    path = folder / "manifest.json"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    assert "manifest.json" in problems(folder)


def change(*place: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return an edit that puts a value at a place."""

    def edit(manifest: dict[str, Any]) -> None:
        *parents, last = place
        for parent in parents:
            manifest = manifest[parent]
        manifest[last] = value

    return edit


def swap_parts(manifest: dict[str, Any]) -> None:
    """Let the training digits be the test digits."""
    inputs = manifest["stages"]["evaluate"]["inputs"]
    inputs["split.train"], inputs["split.test"] = inputs["split.test"], inputs["split.train"]
    rekey(manifest, "evaluate")


def rekey(manifest: dict[str, Any], stage: str) -> None:
    """Give a stage the key that its parts give."""
    account = manifest["stages"][stage]
    account["key"] = StageKey.model_validate({**account, "stage": stage}).digest


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (change("settings", "training", "l2", value=9.0), "run with training.l2 1.0"),
        (change("settings", "seed", value=9), "has train run with seed 0"),
        (change("stages", "train", "settings", "seed", value=9), "has a key of train"),
        (change("stages", "train", "key", value="0" * 64), "has a key of train"),
        (change("stages", "train", "code", value={}), "has a key of train"),
        (change("source", "sha256", value="0"), "has ingest given another csv"),
        (change("stages", "ingest", "outputs", value={}), "has no output digits.parquet of ingest"),
        (swap_parts, "has evaluate given another split.test than shuffle_split made"),
        (lambda manifest: manifest["stages"].pop("train"), "has no stage train"),
        (change("files", "weights.pkl", value="0"), "names other weights than train made"),
        (change("run", value="another"), "is that of another"),
        (change("files", value={}), "names other weights than train made"),
    ],
)
def test_a_contradiction_is_named_even_under_a_new_seal(
    folder: Path, edit: Callable[[dict[str, Any]], None], words: str
) -> None:
    """Keys, settings, inputs and outputs must fit together, even under digests made anew."""
    reseal(folder, edit)
    assert any(words in each for each in problems(folder)["manifest.json"])


@pytest.mark.parametrize(
    ("file", "field", "value", "words"),
    [
        ("metrics.json", "accuracy", 0.999, "has accuracy 0.999, but "),
        (
            "metrics.json",
            "confusion_matrix",
            [[40]],
            "does not have the recomputed confusion_matrix",
        ),
        ("metrics.json", "train_cost", 0.0, "has train_cost 0.0, but "),
        ("metrics.json", "test_rows", 1000, "has test_rows 1000, but 40 is right"),
        ("model.json", "activation", "tanh", "has activation 'tanh', but 'sigmoid' is right"),
        ("model.json", "pixel_max", 1.0, "has pixel_max 1.0, but 255.0 is right"),
        ("model.json", "sizes", [64, 10], "does not have the recomputed sizes"),
    ],
)
def test_a_forged_file_is_found_by_what_comes_out(
    folder: Path, file: str, field: str, value: Any, words: str
) -> None:
    """Where the digest was forged too, what the run made still shows what is right."""
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    reseal(folder, change("files", file, value=sha256_of(path)))
    (problem,) = problems(folder)[file]
    assert problem.startswith(words)


def test_a_run_is_scored_as_it_predicts(settings: Settings) -> None:
    """Where predictions are the mean over shifts, so is the score, and model.json says which."""
    published = run(changed(settings, training={"average_shifts": True}))
    folder = published.directory
    assert verified(folder).problems == []
    assert verified(folder).accuracy == published.accuracy
    model = json.loads((folder / "model.json").read_text())
    assert model.pop("shifts") == [[0, 0], [0, 1], [1, 0], [1, 1]]
    (folder / "model.json").write_text(json.dumps(model))
    reseal(folder, change("files", "model.json", value=sha256_of(folder / "model.json")))
    assert problems(folder) == {"model.json": ["does not have the recomputed shifts"]}


def replace_weights(folder: Path, content: bytes) -> None:
    """Forge a run with other weights, so that every digest and every key fits."""
    digest = hashlib.sha256(content).hexdigest()
    (folder / "weights.pkl").write_bytes(content)
    (folder.parent.parent / "store" / f"weights-{digest[:16]}.pkl").write_bytes(content)
    model = json.loads((folder / "model.json").read_text()) | {"weights_sha256": digest}
    (folder / "model.json").write_text(json.dumps(model))

    def edit(manifest: dict[str, Any]) -> None:
        train = manifest["stages"]["train"]["outputs"]
        train.pop(next(name for name in train if name.startswith("weights-")))
        train[f"weights-{digest[:16]}.pkl"] = digest
        manifest["stages"]["evaluate"]["inputs"]["trained.weights"] = digest
        rekey(manifest, "evaluate")
        for name in ("weights.pkl", "model.json"):
            manifest["files"][name] = sha256_of(folder / name)

    reseal(folder, edit)


def test_forged_weights_are_found_by_what_they_read(folder: Path) -> None:
    """Where every digest fits, the recomputed accuracy and predictions still do not."""
    weights = load_weights(folder / "weights.pkl")
    weights[-1][:, 0] = np.arange(10) * 100  # reads everything as a 9
    replace_weights(folder, dump_weights(weights))
    found = problems(folder)
    assert any(each.startswith("has accuracy") for each in found.pop("metrics.json"))
    (stored,) = found
    assert stored.startswith("store/predictions-")
    assert found[stored] == ["is not what the weights predict"]


@pytest.mark.parametrize(
    ("shape", "words"),
    [((10, 5), "does not fit the weights"), ((3, 65), "does not fit the weights")],
)
def test_weights_of_another_size_are_named(
    folder: Path, shape: tuple[int, int], words: str
) -> None:
    """Weights that can't read the test split are reported, not tried."""
    replace_weights(folder, dump_weights([np.zeros(shape)]))
    assert words in problems(folder)["model.json"][0]


class _Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("forged", [False, True], ids=["plain", "forged"])
def test_a_hostile_pickle_is_named_and_never_executed(
    folder: Path, tmp_path: Path, forged: bool
) -> None:
    """Weights that are code are refused, even where every digest fits them."""
    content = pickle.dumps(_Bomb(tmp_path / "exploded"))
    if forged:
        replace_weights(folder, content)
    else:
        (folder / "weights.pkl").write_bytes(content)
    (wrong,) = problems(folder)["weights.pkl"]
    assert ("can't be used" if forged else "was altered") in wrong
    assert not (tmp_path / "exploded").exists()
    pickle.loads(content)
    assert (tmp_path / "exploded").exists(), "the bomb must be real for the test to mean anything"


def test_verify_at_the_command_line(digits: Any, artifacts: Path, folder: Path) -> None:
    """Exit code 0 and a summary; after an edit 1, a line for each difference, no traceback."""
    words = ("verify", "latest", "--artifacts", artifacts)
    good = digits(*words)
    assert good.returncode == 0, good.stderr
    assert "no differences; 16 files of the run and 15 of the store checked" in good.stdout
    assert "of 40 test images recognised" in good.stdout

    (folder / "report.md").unlink()
    (folder / "a\nb[red]").touch()
    bad = digits(*words)
    assert bad.returncode == 1
    *lines, summary = bad.stdout.splitlines()
    assert lines == ["report.md: is missing", "'a\\nb[red]': is not named in the manifest"]
    assert "2 differences" in summary
    assert bad.stderr == ""

    done = digits(*words, "--json")
    assert done.returncode == 1
    assert [each["file"] for each in json.loads(done.stdout)["problems"]] == [
        "report.md",
        "a\nb[red]",
    ]


@pytest.mark.parametrize("command", ["verify", "compare"])
def test_looking_at_runs_does_not_wait_for_prefect(command: str) -> None:
    """Neither command imports Prefect, which takes seconds."""
    program = f"import sys, flows.commands.{command}; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=False).returncode == 0
