"""Predicting new digits from files of every kind: what goes in, what comes out, what is refused."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Digits as DigitsCommand
from examples.digits import PROJECT, write_small_csv
from examples.runs import write_network
from PIL import Image

from flows.predict import predict as predict_flow
from flows.predict_settings import PredictSettings
from flows.settings import Settings
from network.model import predict
from network.weights import load_weights
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.network_inputs import scaled_images
from tasks.digits.table import Digits, read_digits
from tasks.errors import DataError, InputError
from tasks.predict import Predicted, predict_files
from tasks.runs.folders import MANIFEST
from tasks.training.ensemble import member_rng
from tasks.training.fit import fit
from tasks.training.settings import TrainingSettings

COLUMNS = [
    "file",
    "row",
    "label",
    "confidence",
    "runner_up",
    "runner_up_confidence",
    "true_label",
]


@pytest.fixture(scope="module")
def easy(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """Return 200 easy 8 × 8 digits, as ingest reads them."""
    folder = tmp_path_factory.mktemp("easy")
    csv_to_parquet(write_small_csv(folder / "small.csv"), folder / "easy.parquet", CsvFormat())
    return read_digits(folder / "easy.parquet")


@pytest.fixture(scope="module")
def a_run(easy: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what prediction needs of a run whose network knows easy digits."""
    folder = tmp_path_factory.mktemp("run")
    training = TrainingSettings(convolutions=(), hidden_layers=(20,), epochs=20)
    weights, _ = fit(easy, training, member_rng(0), lambda *_: None)
    write_network(folder, weights)
    settings = {"settings": {"data": CsvFormat().model_dump(mode="json")}}
    (folder / MANIFEST).write_text(json.dumps(settings))
    return folder


def read(a_run: Path, output: Path, *files: Path, **said: object) -> tuple[Predicted, pd.DataFrame]:
    """Predict with the network, and return the outcome and the table of predictions."""
    predicted = predict_files(files, a_run, CsvFormat.model_validate(said), output)
    load = pd.read_parquet if output.suffix == ".parquet" else pd.read_csv
    return predicted, load(output)


def ingested(path: Path, easy: Digits) -> None:
    """Write what ingest writes."""
    write_small_csv(path.with_suffix(".csv"))
    csv_to_parquet(path.with_suffix(".csv"), path, CsvFormat())


def columns_and_label(path: Path, easy: Digits) -> None:
    """Write a column a pixel and the label last, with an index, as pandas does."""
    table = pd.DataFrame(easy.pixels, columns=[f"p{n}" for n in range(64)])
    table["label"] = easy.labels
    table.index = pd.Index(range(7, 207), name=None)
    table.to_parquet(path)


def label_in_the_middle(path: Path, easy: Digits) -> None:
    """Write the label between pixels, recognisable by its name alone."""
    table = pd.DataFrame(easy.pixels, columns=[f"p{n}" for n in range(64)])
    table.insert(30, "digit", easy.labels)
    table.to_parquet(path)


def lists_of_floats(path: Path, easy: Digits) -> None:
    """Write a list of pixels a row, and labels."""
    rows = pa.array(list(easy.pixels.astype(float)))
    pq.write_table(pa.table({"image": rows, "y": pa.array(easy.labels)}), path)


def bare_pixels(path: Path, easy: Digits) -> None:
    """Write pixels without labels."""
    pd.DataFrame(easy.pixels, columns=[f"p{n}" for n in range(64)]).to_parquet(path)


@pytest.mark.parametrize(
    "write", [ingested, columns_and_label, label_in_the_middle, lists_of_floats, bare_pixels]
)
def test_parquet_of_any_layout_is_read(
    write: Callable[[Path, Digits], None], a_run: Path, easy: Digits, tmp_path: Path
) -> None:
    """Whatever the columns are, the same images get the same predictions."""
    write(tmp_path / "new.parquet", easy)
    predicted, table = read(a_run, tmp_path / "read.csv", tmp_path / "new.parquet")
    labelled = write is not bare_pixels
    assert predicted.rows == 200
    assert (predicted.accuracy is not None) == labelled
    assert list(table.columns) == COLUMNS
    assert (table["label"] == easy.labels).mean() > 0.95
    assert table["true_label"].notna().all() == labelled


def test_pixels_of_another_range_and_order_are_read(
    a_run: Path, easy: Digits, tmp_path: Path
) -> None:
    """Shares of ink along columns, where they are said to be that."""
    turned = (easy.pixels / 255).reshape(-1, 8, 8).swapaxes(1, 2).reshape(-1, 64)
    pd.DataFrame(turned, columns=[f"p{n}" for n in range(64)]).to_parquet(tmp_path / "new.parquet")
    files = (tmp_path / "read.csv", tmp_path / "new.parquet")
    _, table = read(a_run, *files, pixel_max=1, pixel_order="column")
    assert (table["label"] == easy.labels).mean() > 0.95
    with pytest.raises(DataError, match="set `pixel_max` to 1"):
        read(a_run, *files)


@pytest.mark.parametrize("output", ["read.csv", "read.parquet"])
def test_the_table_holds_what_the_network_computes(
    output: str, a_run: Path, easy: Digits, tmp_path: Path
) -> None:
    """Labels, confidences and runners-up of several files, each row numbered in its own."""
    csv = write_small_csv(tmp_path / "small.csv")
    (tmp_path / "small.csv.gz").write_bytes(gzip.compress(csv.read_bytes()))
    bare_pixels(tmp_path / "bare.parquet", easy)
    files = [csv, tmp_path / "small.csv.gz", tmp_path / "bare.parquet"]
    predicted, table = read(a_run, tmp_path / "out" / output, *files)
    assert predicted.rows == len(table) == 600
    assert list(table["file"]) == [str(file) for file in files for _ in range(200)]
    assert list(table["row"]) == [*range(1, 201)] * 3
    weights = read_weights(a_run)
    probabilities = predict(weights, scaled_images(easy, "float32"), "relu")
    ranked = np.sort(probabilities, axis=1)
    order = np.argsort(probabilities, axis=1)
    for part in range(3):
        rows = table.iloc[200 * part : 200 * (part + 1)]
        assert list(rows["label"]) == list(order[:, -1])
        assert list(rows["runner_up"]) == list(order[:, -2])
        assert np.allclose(rows["confidence"], ranked[:, -1], atol=2e-6)
        assert np.allclose(rows["runner_up_confidence"], ranked[:, -2], atol=2e-6)
    assert list(table["true_label"][:400]) == list(easy.labels) * 2
    assert table["true_label"][400:].isna().all()
    right = (table["label"] == table["true_label"])[:400]
    assert predicted.accuracy == pytest.approx(right.mean())
    assert predicted.unsure == int((table["confidence"] < 0.5).sum())


def read_weights(a_run: Path) -> list[np.ndarray]:
    """Return a run's weights."""
    return load_weights(a_run / "weights.pkl")


def spoilt(easy: Digits, column: str, value: object) -> pd.DataFrame:
    """Return a table with one wrong cell in row 5."""
    table = pd.DataFrame(easy.pixels, columns=[f"p{n}" for n in range(64)]).astype(float)
    table["label"] = easy.labels.astype(float)
    table.loc[4, column] = value
    return table


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("p3", 999, r"row 5: pixel 4 is 999\. Allowed is 0 to 255"),
        ("p3", -999, r"row 5: pixel 4 is -999"),
        ("p3", None, r"row 5: column 'p3' has no value"),
        ("label", 11, r"row 5: column 'label': label 11\.0\. Allowed are 0 to 9"),
        ("label", 2.5, r"row 5: column 'label': label 2\.5"),
        ("label", None, r"row 5: column 'label' has no value"),
    ],
)
def test_a_wrong_cell_is_named(
    column: str, value: object, words: str, a_run: Path, easy: Digits, tmp_path: Path
) -> None:
    """Row, column, value and what is allowed; nothing is written."""
    spoilt(easy, column, value).to_parquet(tmp_path / "new.parquet")
    with pytest.raises(DataError, match=words):
        read(a_run, tmp_path / "read.csv", tmp_path / "new.parquet")
    assert not (tmp_path / "read.csv").exists()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pa.table({"a": [1]}), "1 columns, but the network reads 8 × 8 pixels. Give 64 columns"),
        (pa.table({"image": [[1.0, 2.0]]}), "Each of its lists must be the 64 pixels of an image"),
        (pa.table({f"p{n}": ["x"] for n in range(64)}), "holds string. A pixel must be a number"),
        (pa.table({f"p{n}": pa.array([], pa.uint8()) for n in range(64)}), "no rows"),
    ],
)
def test_columns_that_are_no_images_are_explained(
    table: pa.Table, words: str, a_run: Path, tmp_path: Path
) -> None:
    """What was found and what is expected."""
    pq.write_table(table, tmp_path / "new.parquet")
    with pytest.raises(DataError, match=words):
        read(a_run, tmp_path / "read.csv", tmp_path / "new.parquet")


def test_digits_of_another_size_need_another_run(a_run: Path, tmp_path: Path) -> None:
    """A file that ingest wrote says how large its images are."""
    pixels = np.zeros((20, 100), np.uint8)
    pixels[:, 5] = 255
    table = np.column_stack([pixels, np.arange(20) % 10])
    np.savetxt(tmp_path / "large.csv", table, fmt="%d", delimiter=",")
    csv_to_parquet(tmp_path / "large.csv", tmp_path / "large.parquet", CsvFormat())
    with pytest.raises(DataError, match="images of 10 × 10 pixels, but the network reads 8 × 8"):
        read(a_run, tmp_path / "read.csv", tmp_path / "large.parquet")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_off_parquet_is_one_clear_error(
    share: float, a_run: Path, easy: Digits, tmp_path: Path
) -> None:
    """And the predictions of an earlier day stay as they were."""
    columns_and_label(tmp_path / "new.parquet", easy)
    content = (tmp_path / "new.parquet").read_bytes()
    (tmp_path / "new.parquet").write_bytes(content[: int(share * len(content))])
    (tmp_path / "read.csv").write_text("of an earlier day")
    whole = write_small_csv(tmp_path / "small.csv")
    with pytest.raises(DataError, match="the Parquet file is cut off or damaged"):
        read(a_run, tmp_path / "read.csv", whole, tmp_path / "new.parquet")
    assert (tmp_path / "read.csv").read_text() == "of an earlier day"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("start", "name", "words"),
    [
        (b"GIF89a", "a.gif", "a file of kind GIF. Save it as PNG"),
        (b"%PDF-1.7", "a.pdf", "a file of kind PDF"),
        (b"\0\0\0\x18ftypheic", "a.heic", "HEIC or AVIF"),
        (b"1,2,3", "a.png", "named .png but no picture"),
        (b"1,2,3", "a.parquet", "named .parquet but no Parquet file"),
    ],
)
def test_kinds_that_can_not_be_read_are_reported_at_once(
    start: bytes, name: str, words: str, a_run: Path, tmp_path: Path
) -> None:
    """Before any file is worked on."""
    (tmp_path / name).write_bytes(start + bytes(20))
    with pytest.raises(InputError, match=words):
        read(a_run, tmp_path / "read.csv", tmp_path / name)


def test_a_pipe_is_refused_and_not_waited_for(a_run: Path, tmp_path: Path) -> None:
    """Files are read twice or more, which a pipe can't be."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no regular file"):
        read(a_run, tmp_path / "read.csv", tmp_path / "pipe")


def test_another_kind_of_output_is_refused(a_run: Path, small_csv: Path, tmp_path: Path) -> None:
    """Predictions are CSV or Parquet."""
    with pytest.raises(InputError, match=r"written as \.csv or \.parquet"):
        read(a_run, tmp_path / "read.xlsx", small_csv)


# The command and the flow.


def picture(path: Path) -> Path:
    """Draw two strokes, for which an 8 × 8 network predicts some digit or other."""
    shade = np.full((80, 120), 230, np.uint8)
    shade[15:65, 25:33] = shade[15:65, 80:88] = 30
    Image.fromarray(shade).save(path)
    return path


@pytest.fixture
def artifacts(a_run: Path, tmp_path: Path) -> Path:
    """Return an artifacts folder with the run in it."""
    folder = tmp_path / "artifacts" / "runs" / "2026-11-23T00-00-00Z-run"
    shutil.copytree(a_run, folder)
    return tmp_path / "artifacts"


def test_a_picture_is_predicted_and_explained(
    digits: DigitsCommand, artifacts: Path, tmp_path: Path
) -> None:
    """One JSON object, a row a digit, and figures of the picture and of each digit as seen."""
    words = ("--run", "latest", "--artifacts", artifacts, "--explain", "how", "--json")
    (artifacts / "latest").symlink_to(next((artifacts / "runs").iterdir()))
    done = digits("predict", picture(tmp_path / "photo.png"), *words)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert (printed["rows"], printed["accuracy"], printed["explained"]) == (2, None, "how")
    shown = sorted(path.name for path in (tmp_path / "how" / "1-photo").iterdir())
    assert shown == ["digit-1.png", "digit-2.png", "photo.png"]
    for name in shown:
        with Image.open(tmp_path / "how" / "1-photo" / name) as image:
            image.load()
    table = pd.read_csv(tmp_path / printed["output"])
    assert list(table["row"]) == [1, 2]
    plain = digits("predict", "photo.png", "--run", "latest", "--artifacts", artifacts)
    assert plain.returncode == 0, plain.stderr
    if printed["unsure"]:
        assert "?" in plain.stdout


@pytest.mark.parametrize(
    ("file", "needed"), [("small.csv", set()), ("photo.png", {"PIL", "scipy"})]
)
def test_the_command_imports_only_what_it_needs(
    artifacts: Path, tmp_path: Path, file: str, needed: set[str]
) -> None:
    """A table is predicted without Prefect and all that draws or tabulates: they take seconds."""
    write_small_csv(tmp_path / "small.csv")
    picture(tmp_path / "photo.png")
    run = next((artifacts / "runs").iterdir()).name
    code = f"""
import sys
from flows.cli import main
try:
    main(["predict", {file!r}, "--run", {run!r}, "--artifacts", "artifacts"])
except SystemExit as end:
    assert end.code == 0
slow = {{"prefect", "pandas", "matplotlib", "scipy", "PIL"}}
print(*sorted(slow & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stderr.split()) == needed


def test_what_can_not_be_read_is_one_line(
    digits: DigitsCommand, artifacts: Path, tmp_path: Path
) -> None:
    """Exit code 2 for a page without a digit, and nothing is written."""
    Image.new("L", (200, 100), 240).save(tmp_path / "empty.png")
    (artifacts / "latest").symlink_to(next((artifacts / "runs").iterdir()))
    words = ("--run", "latest", "--artifacts", artifacts, "--output", "read.csv")
    done = digits("predict", "empty.png", *words)
    assert done.returncode == 2
    assert "nothing on it looks like a digit" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "read.csv").exists()


def test_the_flow_predicts_tables_and_pictures(
    settings: Settings, easy: Digits, tmp_path: Path
) -> None:
    """As a deployment runs it: with the champion, into the artifacts folder."""
    columns_and_label(tmp_path / "new.parquet", easy)
    files = [tmp_path / "new.parquet", picture(tmp_path / "photo.png")]
    predicted = predict_flow(files, PredictSettings(artifacts=settings.artifacts))
    assert predicted.rows == 202
    assert predicted.accuracy is not None
    assert predicted.output.parent == settings.artifacts / "predictions"
