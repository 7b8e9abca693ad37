"""The `digits` command as a person meets it: output, messages, exit codes."""

import json
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.cli import with_options


@pytest.fixture
def trained(cold_digits: Any, small_csv: Path, server: str, tmp_path: Path) -> dict[str, Any]:
    """Train on the small CSV and return the object that --json prints."""
    result = cold_digits(
        *("train", "--csv", small_csv, "--recipe", "classic", "--epochs", 150, "--l2", 0.01),
        "--json",
        PREFECT_API_URL=server,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)  # type: ignore[no-any-return]  # and nothing else is on stdout


def test_train_then_look_then_predict(
    digits: Any, trained: dict[str, Any], small_csv: Path, tmp_path: Path
) -> None:
    """A person's first minutes: train, list, show, unpickle, predict with and without labels."""
    assert trained["stages"] == dict.fromkeys(
        ["ingest", "shuffle_split", "train", "evaluate"], "ran"
    )
    assert (trained["train_rows"], trained["test_rows"]) == (160, 40)
    assert trained["verdict"] == "promoted"
    assert trained["accuracy"] > 0.9
    assert trained["directory"] == f"artifacts/runs/{trained['run']}"

    weights = pickle.loads((tmp_path / trained["directory"] / "weights.pkl").read_bytes())
    assert [layer.shape for layer in weights] == [(40, 65), (10, 41)]

    listed = digits("runs", "--json")
    assert [run["run"] for run in json.loads(listed.stdout)] == [trained["run"]]
    shown = digits("show", trained["run"][:15])
    assert "Promoted, because there was no champion to compare it with" in shown.stdout
    assert "first run" in shown.stdout
    assert f"{trained['accuracy']:.1%}" in shown.stdout

    scored = json.loads(digits("predict", small_csv, "--json").stdout)
    assert scored["rows"] == 200
    assert scored["accuracy"] > 0.9
    unlabelled = pd.read_csv(small_csv, header=None).iloc[:, :-1]
    unlabelled.to_csv(tmp_path / "new.csv", index=False, header=False)
    words = ("predict", "new.csv", "--run", "champion", "--output", "out/read.csv", "--json")
    unscored = json.loads(digits(*words).stdout)
    assert (unscored["rows"], unscored["accuracy"]) == (200, None)
    assert unscored["output"] == "out/read.csv"
    table = pd.read_csv(tmp_path / "out" / "read.csv")
    assert list(table["row"]) == list(range(1, 201))
    assert table["label"].between(0, 9).all()
    assert (table["confidence"] >= table["runner_up_confidence"]).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--csv", "nowhere.csv"), "nowhere.csv: no such file"),
        (("train", "--l2", "-1"), "--l2 -1: must be at least 0"),
        (("train", "--hidden-layers", "40", "x"), "--hidden-layers x: not a whole number"),
        (("train", "--hidden-layers", "40,9"), "several values have spaces between them"),
        (("train", "--colour", "red"), "--colour"),
        (("sweep", "--grid", '{"l2": 1}'), "--grid l2 1: not a list of values, such as [1, 2]"),
        (("sweep", "--grid", '{"l2": [0, -1]}'), "--grid l2 -1: must be at least 0"),
        (("sweep", "--grid", '{"L2": [0]}'), "--grid L2: there is no such training setting. Give"),
        (("sweep", "--grid", '{"freeze_layers": [9]}'), '--grid {"freeze_layers": 9}: --freeze-l'),
        (("prune", "--keep", "ten"), "error: --keep ten: not a whole number"),
        (("train", "new.csv"), "error: new.csv: not expected here. Options are listed by: digits"),
        (("train", "--artifacts", __file__), f"{__file__}: a file. Name the folder"),
        (("runs", "--artifacts", __file__), f"{__file__}: a file. Name the folder"),
        (("show", "latest"), "no complete run yet. Start one with: digits train"),
        (("predict", "new.csv"), "no complete run yet"),
    ],
)
def test_bad_input_ends_in_one_clear_line(
    digits: Any, server: str, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """Exit code 2, one message on stderr, nothing on stdout, no traceback, no run."""
    result = digits(*words, PREFECT_API_URL=server)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("artifacts/runs/*"))


@pytest.mark.parametrize(
    ("words", "message", "shown"),
    [
        (
            "train",
            "give `pixel_max` 1, or other `classes`.",
            "give --pixel-max 1, or other --classes.",
        ),
        ("plan", "lower `learning_rate` (now 3).", "lower --learning-rate (now 3)."),
        ("show latest", "no `learning_rate` here.", "no `learning_rate` here."),
        ("export --format npz", "give `output` or `latest`", "give --output or `latest`"),
        ("train --csv a.csv", "the seed of `csv` is no option", "the seed of --csv is no option"),
        ("nonsense", "nor is `csv` here", "nor is `csv` here"),
    ],
)
def test_settings_in_a_message_are_the_options_of_the_command(
    words: str, message: str, shown: str
) -> None:
    """A field in backticks is written as it is typed, where the command has such an option."""
    assert with_options(message, words.split()) == shown


def test_a_bad_cell_is_an_error_without_a_traceback(
    cold_digits: Any, small_csv: Path, server: str
) -> None:
    """What a stage finds wrong in the CSV reaches the person whole, and an earlier run stays."""
    lines = small_csv.read_text().splitlines()
    lines[6] = lines[6].replace(",", ",x", 1)
    small_csv.write_text("\n".join(lines))
    result = cold_digits("train", "--csv", small_csv, PREFECT_API_URL=server)
    assert result.returncode == 2
    assert "line 7: column 2: 'x" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unreachable_prefect_api_is_a_failure_in_one_line(digits: Any, small_csv: Path) -> None:
    """Exit code 1 and the address that did not answer, no traceback."""
    nobody = "http://127.0.0.1:9/api"
    result = digits("train", "--csv", small_csv, PREFECT_API_URL=nobody)
    assert result.returncode == 1
    assert f"error: Failed to reach API at {nobody}" in result.stderr
    assert "or unset it" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_diverging_training_is_a_failure_with_advice(
    digits: Any, small_csv: Path, server: str
) -> None:
    """Exit code 1, the epoch and what to change, no traceback."""
    words = ("--learning-rate", "1e6", "--l2", "1e6", "--hidden-layers", 9)
    result = digits("train", "--csv", small_csv, *words, PREFECT_API_URL=server)
    assert result.returncode == 1
    assert "epoch" in result.stderr
    assert "lower --learning-rate" in result.stderr
    assert "Traceback" not in result.stderr
