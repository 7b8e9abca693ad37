"""`digits compare`: what differs between two runs, down to the single test digit."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from examples.digits import write_small_csv
from examples.runs import changed, quick, run

from tasks.cache.store import Store
from tasks.compare import RunComparison, compare
from tasks.errors import InputError

A, B, OTHER = "a", "b", "other"


@pytest.fixture(scope="module")
def runs(server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run twice on one split, the second time trained better, and once on another split."""
    folder = tmp_path_factory.mktemp("compared")
    first = quick(write_small_csv(folder / "small.csv"), folder / "artifacts")
    better = changed(first, training={"epochs": 120, "l2": 0.01})
    return {
        A: run(first).directory,
        B: run(better).directory,
        OTHER: run(changed(first, seed=1)).directory,
    }


@pytest.fixture
def copies(runs: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """Return the same runs in a store that a test may harm."""
    artifacts = runs[A].parent.parent
    shutil.copytree(artifacts, tmp_path / "artifacts", symlinks=True)
    return {name: tmp_path / "artifacts" / "runs" / run.name for name, run in runs.items()}


def compared(runs: dict[str, Path], a: str, b: str) -> RunComparison:
    """Compare two of the runs."""
    return compare(runs[a], runs[b], Store(folder=runs[a].parent.parent))


def predictions(folder: Path) -> pd.DataFrame:
    """Return a run's predictions."""
    outputs = json.loads((folder / "manifest.json").read_text())["stages"]["evaluate"]["outputs"]
    (name,) = (each for each in outputs if each.endswith(".parquet"))
    return pd.read_parquet(folder.parent.parent / "store" / name)


def test_what_differs_is_reported_and_nothing_else(runs: dict[str, Path]) -> None:
    """Two settings were changed; data, code and environment are the same."""
    comparison = compared(runs, A, B)
    assert (comparison.a, comparison.b) == (runs[A].name, runs[B].name)
    assert comparison.settings == {"training.epochs": (5, 120), "training.l2": (1.0, 0.01)}
    assert all(a == b for a, b in comparison.data.values())
    assert comparison.data["test_rows"] == (40, 40)
    assert comparison.code == {}
    assert comparison.environment == {}


def test_metrics_stand_side_by_side(runs: dict[str, Path]) -> None:
    """Accuracy with its interval, each digit's recall and the costs are those of metrics.json."""
    comparison = compared(runs, A, B).metrics
    for index, name in enumerate((A, B)):
        metrics = json.loads((runs[name] / "metrics.json").read_text())
        for metric in ("accuracy", "accuracy_interval", "train_cost", "test_cost"):
            assert comparison[metric][index] == metrics[metric]
        for row in metrics["per_digit"]:
            assert comparison[f"recall of {row['digit']}"][index] == row["recall"]


def test_the_digits_that_changed_sides_are_named(runs: dict[str, Path]) -> None:
    """Each has its row, its label and both readings; there and back they are the same digits."""
    comparison = compared(runs, A, B).changed_digits
    assert comparison is not None
    a, b = predictions(runs[A]), predictions(runs[B])
    right_a, right_b = a["prediction"] == a["label"], b["prediction"] == b["label"]
    assert [each.row for each in comparison.wrong_to_right] == list(a["row"][~right_a & right_b])
    assert [each.row for each in comparison.right_to_wrong] == list(a["row"][right_a & ~right_b])
    assert len(comparison.wrong_to_right) > len(comparison.right_to_wrong)
    for each in comparison.wrong_to_right:
        assert each.read_by_b == each.label == a["label"][each.row]
        assert each.read_by_a == a["prediction"][each.row] != each.label

    back = compared(runs, B, A).changed_digits
    assert back is not None
    assert [each.row for each in back.right_to_wrong] == [
        each.row for each in comparison.wrong_to_right
    ]


def test_a_run_compared_with_itself_differs_in_nothing(runs: dict[str, Path]) -> None:
    """No setting and no digit is listed."""
    comparison = compared(runs, A, A)
    assert comparison.settings == {}
    assert comparison.changed_digits is not None
    assert (
        comparison.changed_digits.right_to_wrong == comparison.changed_digits.wrong_to_right == []
    )


def test_other_test_digits_are_not_compared_one_by_one(runs: dict[str, Path]) -> None:
    """Rows of different test splits are different digits."""
    comparison = compared(runs, A, OTHER)
    assert comparison.changed_digits is None
    assert comparison.not_compared == "the runs were tested on different test splits"
    assert comparison.settings == {"seed": (0, 1)}
    assert len(set(comparison.data["test_sha256"])) == 2
    assert len(set(comparison.data["source_sha256"])) == 1


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(b"ink"), "was altered"),
    ],
    ids=["pruned", "altered"],
)
def test_predictions_that_are_gone_are_reported(
    copies: dict[str, Path], harm: Any, words: str
) -> None:
    """The rest is compared all the same."""
    for path in (copies[A].parent.parent / "store").glob("predictions-*"):
        harm(path)
    comparison = compared(copies, A, B)
    assert comparison.changed_digits is None
    assert words in str(comparison.not_compared)
    assert copies[A].name in str(comparison.not_compared)
    assert comparison.settings.keys() == {"training.epochs", "training.l2"}


def edit(path: Path, **changes: Any) -> None:
    """Change some fields of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_code_packages_and_commits_that_differ_are_reported(copies: dict[str, Path]) -> None:
    """Each by its name, with what either run had; also code that was edited during a run."""
    path = copies[B] / "manifest.json"
    before = json.loads(path.read_text())
    stages = before["stages"]
    loss, train = (stages["train"]["code"][each] for each in ("network/loss.py", "tasks/train.py"))
    stages["train"]["code"] |= {"network/loss.py": "0" * 64, "tasks/train.py": "1" * 64}
    edit(path, stages=stages, packages=before["packages"] | {"numpy": "3.0"}, git=None)
    comparison = compared(copies, A, B)
    assert comparison.code == {
        "tasks/train.py": (train, "1" * 64),
        "network/loss.py": (loss, f"{'0' * 64}, {loss}"),
    }
    assert comparison.environment["numpy"] == (before["packages"]["numpy"], "3.0")
    assert comparison.environment.keys() <= {"numpy", "git commit", "git dirty"}


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        ("metrics.json", {"per_digit": [1]}, "not a run's metrics"),
        ("manifest.json", {"stages": {"train": {}}}, "stages.train.key"),
    ],
)
def test_a_damaged_run_is_one_clear_line(
    copies: dict[str, Path], file: str, changes: dict[str, Any], words: str
) -> None:
    """The file and the place in it are named."""
    edit(copies[B] / file, **changes)
    with pytest.raises(InputError, match=f"{file}.*{words}"):
        compared(copies, A, B)


def test_compare_at_the_command_line(digits: Any, runs: dict[str, Path]) -> None:
    """A person reads tables, a script one JSON object; a run that is none ends with 2."""
    words = ("compare", runs[A].name, runs[B].name, "--artifacts", runs[A].parent.parent)
    comparison = compared(runs, A, B)
    shown = digits(*words)
    assert shown.returncode == 0, shown.stderr
    assert "training.epochs" in shown.stdout
    assert "The data are the same." in shown.stdout
    changed_digits = comparison.changed_digits
    assert changed_digits is not None
    count = len(changed_digits.wrong_to_right)
    assert f"Wrong in A, right in B: {count} of the test images" in shown.stdout
    if count > 20:
        assert f"… and {count - 20} more; --json has all" in shown.stdout

    as_json = json.loads(digits(*words, "--json").stdout)
    assert as_json == json.loads(comparison.model_dump_json())

    nobody = digits("compare", runs[A].name, "nobody", "--artifacts", runs[A].parent.parent)
    assert nobody.returncode == 2
    assert "nobody: no such run" in nobody.stderr
