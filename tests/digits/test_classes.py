"""Other labels than the digits: which there may be, and that all that follows speaks of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Digits as DigitsCommand
from examples.digits import imagined_profile, write_digits
from examples.report import DRIFT, MANIFEST, METRICS
from examples.runs import changed, manifest, past_run, ran, run
from pydantic import ValidationError

from flows.settings import Settings
from tasks.cache.store import Store
from tasks.champion.comparison import Comparison
from tasks.champion.judgement import PromotionSettings, decide
from tasks.digits.classes import (
    class_counts,
    class_numbers,
    image_noun,
    in_words,
    label_noun,
    label_type,
)
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.network_inputs import labels_of, one_hot
from tasks.digits.profile import profile_of
from tasks.digits.scores import score
from tasks.digits.table import read_digits
from tasks.errors import DataError
from tasks.predict import predict_files
from tasks.report.charts import confusion_chart
from tasks.report.network_figures import Recognition, draw_network
from tasks.report.report import write_report
from tasks.report.run_figures import draw_run
from tasks.runs.model import load_model
from tasks.verify import verify

LETTERS = (-3, 65, 200)


def write_csv(path: Path, classes: tuple[int, ...] = LETTERS, rows: int = 30) -> Path:
    """Write easy 8 × 8 images, as many of each class: each has bright pixels of its own."""
    rng = np.random.default_rng(3)
    numbers = rng.permutation(np.arange(rows * len(classes)) % len(classes))
    pixels = rng.integers(0, 60, (len(numbers), 64))
    for number in range(len(classes)):
        pixels[numbers == number, 6 * number : 6 * number + 6] += 180
    table = np.column_stack([pixels, np.array(classes)[numbers]])
    np.savetxt(path, table, fmt="%d", delimiter=",")
    return path


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([4], "at least 2"),
        (list(range(101)), "at most 100"),
        ([1, 2, 1], "more than once"),
        ([0.5, 1], "valid integer"),
        ([0, 2**31], "less than or equal"),
    ],
)
def test_a_label_set_that_can_not_be_meant_is_refused(classes: list[float], words: str) -> None:
    """From 2 to 100 different whole numbers of 32 bits are allowed."""
    with pytest.raises(ValidationError, match=words):
        CsvFormat.model_validate({"classes": classes})


@pytest.mark.parametrize("classes", [[1, 2], [0, 5, 10]])
def test_ten_can_only_mean_zero_where_there_is_a_zero_and_no_ten(classes: list[int]) -> None:
    """The two settings would contradict each other."""
    with pytest.raises(ValidationError, match="needs `classes` with 0 and without 10"):
        CsvFormat.model_validate({"classes": classes, "label_ten_is_zero": True})


def test_classes_are_put_in_order() -> None:
    """The order in which they are named decides nothing, so it makes no other key."""
    assert CsvFormat(classes=(9, -1, 4)) == CsvFormat(classes=(-1, 4, 9))


def test_every_class_has_an_output_of_its_own() -> None:
    """Numbers of the outputs follow the labels' order; one-hot rows are the labels again."""
    labels = np.array([200, -3, 65, 200], np.int16)
    assert class_numbers(labels, LETTERS).tolist() == [2, 0, 1, 2]
    assert class_counts(labels, LETTERS).tolist() == [1, 1, 2]
    columns = one_hot(labels, LETTERS, "float32")
    assert columns.argmax(axis=1).tolist() == [2, 0, 1, 2]
    assert labels_of(columns, LETTERS).tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("classes", "name"),
    [((0, 9), "int8"), ((-128, 127), "int8"), ((0, 128), "int16"), ((-40000, 0), "int32")],
)
def test_labels_are_kept_in_the_narrowest_type(classes: tuple[int, ...], name: str) -> None:
    """Digits stay bytes; no label is ever cut off."""
    assert label_type(classes) == name


@pytest.mark.parametrize(
    ("classes", "words"),
    [((0, 1), "0 and 1"), (tuple(range(5, 10)), "5 to 9"), ((1, 3, 5), "1, 3 and 5")],
)
def test_classes_are_named(classes: tuple[int, ...], words: str) -> None:
    """A range is named by its ends."""
    assert in_words(classes) == words


@pytest.mark.parametrize("classes", [LETTERS, (1000, 2000), (0, 1), (0, 255)])
def test_ingest_keeps_any_labels(classes: tuple[int, ...], tmp_path: Path) -> None:
    """Labels come back as they are in the file, with the classes; pixels stay bytes."""
    csv = write_csv(tmp_path / "letters.csv", classes)
    parquet = tmp_path / "letters.parquet"
    summary = csv_to_parquet(csv, parquet, CsvFormat(classes=classes))
    assert summary.pixel_type == "uint8"
    assert summary.class_counts == (30,) * len(classes)
    digits = read_digits(parquet)
    assert digits.classes == classes
    assert digits.labels.tolist() == np.loadtxt(csv, delimiter=",")[:, -1].tolist()
    write_digits(digits, tmp_path / "again.parquet")
    assert read_digits(tmp_path / "again.parquet").classes == classes
    assert profile_of(parquet, 255, classes).counts == (30,) * len(classes)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((-3, 65), r"line \d+: column 65: label 200. Allowed are -3 and 65; .* in `classes`\."),
        ((-3, 65, 66, 200), "no image is labelled 66; each label of -3, 65, 66 and 200 needs"),
    ],
)
def test_a_label_too_many_or_too_few_is_refused(
    classes: tuple[int, ...], words: str, tmp_path: Path
) -> None:
    """A label outside the classes is named with its place, a class without an image by itself."""
    csv = write_csv(tmp_path / "letters.csv")
    with pytest.raises(DataError, match=words):
        csv_to_parquet(csv, tmp_path / "letters.parquet", CsvFormat(classes=classes))


def test_a_score_speaks_of_labels() -> None:
    """The table of classes is by label, the matrix by their order."""
    labels = np.array([65, 65, -3, 200])
    scored = score(labels, np.array([65, 200, -3, 200]), LETTERS)
    assert scored["accuracy"] == 0.75
    assert [row["digit"] for row in scored["per_digit"]] == list(LETTERS)
    assert scored["confusion_matrix"] == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert json.loads(json.dumps(scored))["classes"] == list(LETTERS)


def test_nouns_follow_the_labels() -> None:
    """Only images of the ten digits are called digits."""
    assert (image_noun(range(10)), label_noun(range(10))) == ("digit", "digit")
    assert (image_noun((0, 1)), label_noun((0, 1))) == ("image", "label")


@pytest.mark.parametrize("number", [2, 26, 30])
def test_a_confusion_matrix_of_any_size_has_every_count(number: int) -> None:
    """Each count stands in its cell; axes are marked with the labels."""
    classes = range(1000, 1000 + number)
    counts = np.diag(np.arange(number) + 1)
    counts[0, 1] = 7
    ax = confusion_chart(counts, classes).axes[0]
    shown = {tuple(np.floor(each.get_position()).astype(int)): each.get_text() for each in ax.texts}
    assert shown[1, 0] == "7"
    assert [shown[place, place] for place in range(number)] == [str(n + 1) for n in range(number)]
    assert [each.get_text() for each in ax.get_xticklabels()] == [str(each) for each in classes]


def test_a_confusion_matrix_of_a_hundred_classes_stays_a_small_picture(tmp_path: Path) -> None:
    """Its cells are pixels of one picture, the true classes from the top; few labels are marked."""
    counts = np.random.default_rng(0).poisson(3, (100, 100)) + np.diag([90] * 100)
    figure = confusion_chart(counts, range(1000, 1100))
    ax = figure.axes[0]
    assert not ax.texts
    assert [each.get_text() for each in ax.get_yticklabels()][:2] == ["1000", "1004"]
    assert ax.get_ylim() == (100, 0)
    assert ax.images[0].get_extent() == [0, 100, 100, 0]
    figure.savefig(tmp_path / "confusion.svg")
    assert (tmp_path / "confusion.svg").stat().st_size < 200_000


def test_the_report_of_a_hundred_classes_stays_small(tmp_path: Path) -> None:
    """The page is under 1 MB, Prefect's under 200 kB, and both have a row for every label."""
    classes = tuple(range(1000, 1100))
    rng = np.random.default_rng(0)
    labels = rng.choice(classes, 3000)
    read = np.where(rng.random(3000) < 0.7, labels, rng.choice(classes, 3000))
    scored = score(labels, read, classes)
    draw_network(
        tmp_path / "figures",
        pd.DataFrame({"epoch": [1, 2], "cost": [3.0, 1.0]}),
        Recognition(
            images=rng.random((3000, 8, 8)),
            predictions=pd.DataFrame(
                {"row": range(3000), "label": labels, "prediction": read, "confidence": 0.9}
            ),
            confusion_matrix=np.array(scored["confusion_matrix"]),
            classes=classes,
        ),
        first_layer=rng.normal(size=(5, 65)),
        variants=rng.random((17, 8, 8)),
    )
    counts, ink = tuple(class_counts(labels, classes).tolist()), (0.2,) * 100
    profile = imagined_profile(3000).model_copy(
        update={"classes": classes, "counts": counts, "ink": ink}
    )
    draw_run(
        tmp_path / "figures",
        runs=[past_run(0)],
        champion="earlier",
        profile=profile,
        before=profile,
    )
    data = {**profile.model_dump(include={"rows", "classes", "counts", "ink", "regions"})}
    about = {**METRICS["data"], **data, **DRIFT, "before": data}
    artifact = write_report(tmp_path, MANIFEST, {**METRICS, **scored, "data": about}, [past_run(0)])
    assert len(artifact.encode()) < 200_000
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
    assert "digit" not in artifact.split("## Data")[0].replace("digits.csv", "")
    assert all(artifact.count(f"\n| {label} | ") == 2 for label in classes)


def test_a_reason_names_few_of_many_labels() -> None:
    """Where a champion of a hundred classes is better in most of them, the reason stays short."""
    comparison = Comparison(
        run="champion",
        accuracy=0.5,
        challenger_accuracy=0.6,
        wrong_to_right=20,
        right_to_wrong=10,
        p_value=1,
        classes=tuple(range(100)),
        recall_drops=(0.1,) * 90 + (-0.9,) * 10,
    )
    reason = decide(comparison, PromotionSettings()).reason
    assert "recognises 10 more test images" in reason
    assert "for the 4s, and too much for 85 other labels, and max_recall_drop" in reason


def test_a_net_for_letters_grows_from_a_net_for_digits(settings: Settings, tmp_path: Path) -> None:
    """Only the last layer is new; report, model, predictions and checks speak of letters."""
    letters = changed(
        settings,
        csv=write_csv(tmp_path / "letters.csv"),
        data={"classes": LETTERS},
        training={"epochs": 300, "l2": 0.01},
        initial_weights="champion",
    )
    published = run(letters)
    folder = published.directory
    written = manifest(published)
    assert ran(published)[0] == "ingest"
    assert published.accuracy > 0.9
    assert "knows the labels 0 to 9, and these are -3, 65 and 200" in written["verdict_reason"]
    assert load_model(folder).classes == LETTERS
    assert verify(folder, Store(folder=settings.artifacts)).problems == []
    report = (folder / "report.md").read_text()
    for label in LETTERS:
        assert f"\n| {label} | " in report.replace("\\", "")
    predicted = predict_files([letters.csv], folder, CsvFormat(), tmp_path / "read.csv")
    table = pd.read_csv(tmp_path / "read.csv")
    assert predicted.accuracy == pytest.approx((table["label"] == table["true_label"]).mean())
    assert set(table["label"]) | set(table["runner_up"]) <= set(LETTERS)


def test_a_network_learns_odd_and_even(settings: Settings, tmp_path: Path) -> None:
    """Two labels are a set like any other; its second training comes from the cache."""
    parity = changed(
        settings,
        csv=write_csv(tmp_path / "parity.csv", (0, 1), rows=60),
        data={"classes": (1, 0)},
        training={"epochs": 300, "l2": 0.01},
        initial_weights="champion",
    )
    published = run(parity)
    assert published.accuracy > 0.9
    report = (published.directory / "report.md").read_text()
    assert "of 24 test images recognised" in report
    assert "predicted as 0, the share that are" in report
    assert "digit" not in (published.directory / "figures" / "confusion.svg").read_text()
    assert load_model(published.directory).weights[-1].shape == (2, 41)
    assert ran(run(changed(parity, initial_weights=str(weights_of(settings))))) == []


def weights_of(settings: Settings) -> Path:
    """Return the weights of the first run."""
    return min((settings.artifacts / "runs").glob("2*")) / "weights.pkl"


def test_outputs_of_other_labels_start_at_random(settings: Settings, tmp_path: Path) -> None:
    """As many outputs that stand for other labels are not started from."""
    (first,) = (settings.artifacts / "runs").glob("2*")
    csv = write_csv(tmp_path / "others.csv", tuple(range(10, 20)), rows=20)
    (tmp_path / "plain.pkl").write_bytes((first / "weights.pkl").read_bytes())
    others = changed(
        settings,
        csv=csv,
        data={"classes": tuple(range(10, 20))},
        training={"epochs": 1, "learning_rate": 1e-6},
        initial_weights=first.name,
    )
    before, now = load_model(first).weights, load_model(run(others).directory).weights
    assert np.allclose(before[0], now[0], atol=1e-4)
    assert not np.allclose(before[1], now[1], atol=1e-4)
    plain = run(changed(others, initial_weights=str(tmp_path / "plain.pkl")))
    assert (
        "initial.new_outputs changed true → false" in manifest(plain)["stages"]["train"]["reason"]
    )
    assert np.allclose(before[1], load_model(plain.directory).weights[1], atol=1e-4)


def test_labels_are_named_on_the_command_line(
    digits: DigitsCommand, tmp_path: Path, server: str
) -> None:
    """`--classes` takes several numbers, negative ones too; wrong ones are named in one line."""
    csv = write_csv(tmp_path / "letters.csv")
    words = ("--csv", csv, "--recipe", "classic", "--epochs", 3, "--json")
    done = digits("train", *words, "--classes", "200", "65", "-3", PREFECT_API_URL=server)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["test_rows"] == 18
    done = digits("plan", *words, "--classes", "1", "1")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--classes" in done.stderr
    done = digits("predict", csv, "--classes", "1", "2")
    assert done.returncode == 2
    assert "predicts the labels -3, 65 and 200, not 1 and 2" in done.stderr
