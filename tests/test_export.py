"""`digits export`: other tools compute from the file what the network computes here."""

import hashlib
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import onnxruntime
import pytest
from examples.digits import PROJECT
from safetensors import safe_open

from flows.settings import Settings
from network.initialization import initial_weights
from network.model import predict
from network.shifts import PHASES, UNMOVED, Shifts
from network.weights import dump_weights
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.network_inputs import scaled_images
from tasks.digits.table import Digits, read_digits
from tasks.errors import InputError
from tasks.export import ExportFormat, export_run, metadata_of, plain_arrays
from tasks.runs.model import load_model
from tasks.shuffle_split import split_rows
from tasks.training.ensemble import member_rng
from tasks.training.fit import fit
from tasks.training.settings import TrainingSettings

FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
SIDE = 6


def write_run(
    folder: Path,
    weights: list[np.ndarray],
    activation: str = "sigmoid",
    image_side: int = SIDE,
    pixel_max: float = 255.0,
    classes: Sequence[int] = range(10),
    shifts: Shifts = UNMOVED,
) -> Path:
    """Write what a run's folder holds of its network."""
    folder.mkdir(parents=True)
    content = dump_weights(weights)
    (folder / "weights.pkl").write_bytes(content)
    facts = {
        "activation": activation,
        "image_side": image_side,
        "pixel_max": pixel_max,
        "classes": list(classes),
        "shifts": shifts,
        "weights_sha256": hashlib.sha256(content).hexdigest(),
    }
    (folder / "model.json").write_text(json.dumps(facts))
    return folder


def random_weights(*hidden: int, dtype: str = "float32") -> list[np.ndarray]:
    """Return a network's weights with biases that are not 0."""
    weights = initial_weights(
        [SIDE**2, *hidden, 10], np.random.default_rng(4), initialization="glorot", dtype=dtype
    )
    for layer in weights:
        layer[:, 0] = np.linspace(-0.3, 0.3, len(layer))
    return weights


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Return the folder of a run with one hidden layer."""
    return write_run(tmp_path / "runs" / "one", random_weights(9))


def session_of(path: Path) -> Any:
    """Open an ONNX file as another program does."""
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def computed(path: Path, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities and labels that onnxruntime computes from raw pixels."""
    given = {"pixels": pixels.astype(np.float32)}
    probabilities, label = session_of(path).run(["probabilities", "label"], given)
    return probabilities, label


def raw_pixels(rows: int = 50) -> np.ndarray:
    """Return random images of whole pixel values."""
    return np.random.default_rng(8).integers(0, 256, (rows, SIDE**2))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (9,), (9, 7), (9, 7, 12)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx_computes_what_the_network_does(
    tmp_path: Path, activation: str, hidden: tuple[int, ...], dtype: str
) -> None:
    """Probabilities and labels are those of predict, for any shape, activation and number type."""
    weights = random_weights(*hidden, dtype=dtype)
    folder = write_run(tmp_path / "run", weights, activation)
    pixels = raw_pixels()
    export_run(folder, "onnx", tmp_path / "n.onnx")
    onnx.checker.check_model(str(tmp_path / "n.onnx"), full_check=True)
    probabilities, label = computed(tmp_path / "n.onnx", pixels)
    expected = predict(weights, (pixels / 255).astype(dtype), activation)
    assert (probabilities.dtype, label.dtype) == (dtype, np.int64)
    assert probabilities == pytest.approx(expected, abs=1e-5)
    assert label.tolist() == expected.argmax(axis=1).tolist()


def test_onnx_averages_over_shifts(tmp_path: Path) -> None:
    """A run that predicts the mean for moved images is one graph that does so, on raw pixels."""
    weights = random_weights(9, 7)
    folder = write_run(tmp_path / "run", weights, "relu", shifts=PHASES)
    export_run(folder, "onnx", tmp_path / "n.onnx")
    expected = predict(weights, raw_pixels() / 255, "relu", PHASES)
    assert computed(tmp_path / "n.onnx", raw_pixels())[0] == pytest.approx(expected, abs=1e-5)
    assert computed(tmp_path / "n.onnx", raw_pixels(0))[0].shape == (0, 10)
    assert load_model(folder).shifts == PHASES


def test_onnx_says_what_it_takes_and_gives(run_folder: Path, tmp_path: Path) -> None:
    """Names, types and shapes are those of the docs, for any number of images, also none."""
    export_run(run_folder, "onnx", tmp_path / "n.onnx")
    session = session_of(tmp_path / "n.onnx")
    ports = [*session.get_inputs(), *session.get_outputs()]
    assert [(port.name, port.type, port.shape) for port in ports] == [
        ("pixels", "tensor(float)", ["N", SIDE**2]),
        ("probabilities", "tensor(float)", ["N", 10]),
        ("label", "tensor(int64)", ["N"]),
    ]
    probabilities, label = computed(tmp_path / "n.onnx", raw_pixels(0))
    assert (probabilities.shape, label.shape) == ((0, 10), (0,))


def test_onnx_divides_by_the_runs_own_full_ink(tmp_path: Path) -> None:
    """A network trained on pixels from 0 to 16 is given those, raw."""
    weights = random_weights(9)
    folder = write_run(tmp_path / "run", weights, pixel_max=16.0)
    pixels = raw_pixels() % 17
    export_run(folder, "onnx", tmp_path / "n.onnx")
    expected = predict(weights, pixels / 16, "sigmoid")
    assert computed(tmp_path / "n.onnx", pixels)[0] == pytest.approx(expected, abs=1e-5)


def test_onnx_ranks_improbable_outputs(tmp_path: Path) -> None:
    """The label is the largest probability's, also where all of them are next to nothing."""
    weights = random_weights()
    weights[0][:, 0] = np.linspace(-60, -20, 10)
    folder = write_run(tmp_path / "run", weights)
    export_run(folder, "onnx", tmp_path / "n.onnx")
    probabilities, label = computed(tmp_path / "n.onnx", np.zeros((1, SIDE**2)))
    assert 0 < probabilities.max() < 1e-8
    assert label.tolist() == [9]


def test_the_label_is_looked_up(tmp_path: Path) -> None:
    """Where the outputs stand for other labels than 0, 1, …, graph and metadata give those."""
    folder = write_run(tmp_path / "run", random_weights(9), classes=range(-5, 5))
    assert json.loads(metadata_of(load_model(folder)))["classes"] == list(range(-5, 5))
    export_run(folder, "onnx", tmp_path / "n.onnx")
    probabilities, label = computed(tmp_path / "n.onnx", raw_pixels())
    assert label.tolist() == (probabilities.argmax(axis=1) - 5).tolist()


@dataclass(frozen=True)
class Trained:
    """A network trained on the shipped digits, and the digits it never saw."""

    folder: Path
    weights: list[np.ndarray]
    test: Digits


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train for three epochs on the shipped digits."""
    folder = tmp_path_factory.mktemp("trained")
    csv_to_parquet(PROJECT / "data" / "digits.csv", folder / "digits.parquet", CsvFormat())
    digits = read_digits(folder / "digits.parquet")
    parts = split_rows(digits.labels, 0.8, False, np.random.default_rng(0))
    train, test = (
        Digits(digits.pixels[rows], digits.labels[rows], digits.image_side, digits.pixel_max)
        for rows in parts
    )
    training = TrainingSettings(convolutions=(), hidden_layers=(30,), epochs=3, distortion=0)
    weights, _ = fit(train, training, member_rng(0), lambda epoch, cost: None)
    run = write_run(folder / "runs" / "quick", weights, "relu", digits.image_side, digits.pixel_max)
    return Trained(run, weights, test)


def test_onnx_predicts_the_thousand_test_digits_alike(trained: Trained, tmp_path: Path) -> None:
    """Every label is equal, every probability to 1e-5."""
    expected = predict(trained.weights, scaled_images(trained.test, "float32"), "relu")
    export_run(trained.folder, "onnx", tmp_path / "n.onnx")
    probabilities, label = computed(tmp_path / "n.onnx", trained.test.pixels)
    assert len(label) == 1000
    assert (label == trained.test.labels).mean() > 0.85
    assert label.tolist() == expected.argmax(axis=1).tolist()
    assert np.abs(probabilities - expected).max() < 1e-5


def code_in(page: str, wanted: str) -> str:
    """Return the Python example of a page that mentions something."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    (example,) = (code for code in re.findall(r"```python\n(.*?)```", text, re.S) if wanted in code)
    return str(example)


def test_the_numpy_reader_of_the_docs_predicts_alike(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The formula shown in docs/export.md is the network, on all test digits."""
    monkeypatch.chdir(tmp_path)
    export_run(trained.folder, "npz", Path("digits.npz"))
    np.save("pixels.npy", trained.test.pixels)
    names: dict[str, Any] = {}
    exec(code_in("docs/export.md", "digits.npz"), names)
    expected = predict(trained.weights, scaled_images(trained.test, "float32"), "relu")
    assert np.abs(names["probabilities"] - expected).max() < 1e-5
    assert names["labels"].tolist() == expected.argmax(axis=1).tolist()


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_the_numpy_reader_knows_every_activation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, activation: str
) -> None:
    """The formula holds for deep networks of each kind, and for predictions over shifts."""
    monkeypatch.chdir(tmp_path)
    weights = random_weights(9, 7)
    folder = write_run(tmp_path / "run", weights, activation, shifts=PHASES)
    export_run(folder, "npz", Path("digits.npz"))
    np.save("pixels.npy", raw_pixels())
    names: dict[str, Any] = {}
    exec(code_in("docs/export.md", "digits.npz"), names)
    expected = predict(weights, raw_pixels() / 255, activation, PHASES)
    assert names["probabilities"] == pytest.approx(expected, abs=1e-5)


def test_the_example_of_the_docs_runs(
    trained: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Copied into a file it prints a line a digit, its label first."""
    monkeypatch.chdir(tmp_path)
    export_run(trained.folder, "onnx", Path("digits.onnx"))
    np.save("pixels.npy", trained.test.pixels)
    exec(code_in("docs/predicting.md", "onnxruntime"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1000
    expected = predict(trained.weights, scaled_images(trained.test, "float32"), "relu")
    assert [int(line.split()[0]) for line in lines] == expected.argmax(axis=1).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("export_format", ["npz", "safetensors"])
def test_arrays_come_back_bit_for_bit(
    tmp_path: Path, export_format: ExportFormat, dtype: str
) -> None:
    """Both array formats hold the weights in their own type, and the same metadata."""
    weights = random_weights(9, 7, dtype=dtype)
    folder = write_run(tmp_path / "run", weights, "tanh")
    path = export_run(folder, export_format, tmp_path / "file").path
    if export_format == "npz":
        with np.load(path, allow_pickle=False) as file:
            read = dict(file)
        metadata = str(read.pop("metadata"))
    else:
        with safe_open(path, framework="numpy") as file:  # type: ignore[no-untyped-call]
            read = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            metadata = file.metadata()["metadata"]
    assert len(read) == 6
    for number, layer in enumerate(weights, start=1):
        for name, expected in (("weights", layer[:, 1:]), ("bias", layer[:, 0])):
            found = read[f"layer_{number}_{name}"]
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, expected)
    assert json.loads(metadata) == {
        "run": "run",
        "sizes": [36, 9, 7, 10],
        "activation": "tanh",
        "output_activation": "sigmoid",
        "classes": list(range(10)),
        "image_side": SIDE,
        "pixel_order": "row",
        "pixel_max": 255.0,
    }


def test_onnx_holds_the_same_metadata(run_folder: Path, tmp_path: Path) -> None:
    """A reader of the model finds what the other formats say."""
    export_run(run_folder, "onnx", tmp_path / "n.onnx")
    found = session_of(tmp_path / "n.onnx").get_modelmeta().custom_metadata_map
    assert found == {"metadata": metadata_of(load_model(run_folder))}


def test_nothing_in_an_npz_is_pickled(run_folder: Path, tmp_path: Path) -> None:
    """Every member is an array of numbers or text, which NumPy reads without unpickling."""
    path = export_run(run_folder, "npz", tmp_path / "n.npz").path
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    assert set(members) == {
        "metadata.npy",
        *(f"{name}.npy" for name in plain_arrays(load_model(run_folder))),
    }
    for content in members.values():
        stream = io.BytesIO(content)
        assert not np.lib.format.read_array(stream, allow_pickle=False).dtype.hasobject


@pytest.mark.parametrize("export_format", FORMATS)
def test_the_same_network_gives_the_same_bytes(
    run_folder: Path, tmp_path: Path, export_format: ExportFormat
) -> None:
    """The reported digest is the file's, and every further export has it too."""
    found = [export_run(run_folder, export_format, tmp_path / f"{n}").sha256 for n in range(10)]
    assert set(found) == {hashlib.sha256((tmp_path / "0").read_bytes()).hexdigest()}


@pytest.mark.parametrize("export_format", FORMATS)
def test_an_earlier_file_is_kept_when_writing_fails(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export_format: ExportFormat
) -> None:
    """It is the old file or the new one, whole, and nothing half-written stays next to it."""
    output = tmp_path / "out" / "network"
    output.parent.mkdir()
    output.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            export_run(run_folder, export_format, output)
    assert output.read_text() == "old"
    assert list(output.parent.iterdir()) == [output]
    export_run(run_folder, export_format, output)
    assert output.read_bytes() != b"old"
    assert list(output.parent.iterdir()) == [output]


@pytest.mark.parametrize("missing", ["onnx", "safetensors"])
def test_without_the_extra_the_error_says_how_to_install_it(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: ExportFormat
) -> None:
    """One error names the package and the command; npz needs neither, and nothing is written."""
    for module in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        InputError,
        match=rf"`format` {missing}: the package {missing} is not installed.*pip install -e '\.\[e",
    ):
        export_run(run_folder, missing, tmp_path / "out" / "n")
    assert not (tmp_path / "out").exists()
    export_run(run_folder, "npz", tmp_path / "out" / "n")


def test_an_output_that_is_a_folder_is_refused(run_folder: Path, tmp_path: Path) -> None:
    """A name is needed for the file, not only its folder."""
    with pytest.raises(InputError, match=r"is a folder\. Name a file with `output`"):
        export_run(run_folder, "npz", tmp_path)


def test_the_command_exports_the_champion(settings: Settings, digits: Any) -> None:
    """Without a run's name it is the champion's, into `exports`, reported as one object."""
    artifacts = settings.artifacts
    name = json.loads((artifacts / "champion.json").read_text())["run"]
    result = digits("export", "--format", "onnx", "--json")
    assert result.returncode == 0, result.stderr
    path = artifacts / "exports" / f"{name}.onnx"
    assert json.loads(result.stdout) == {
        "path": f"artifacts/exports/{name}.onnx",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "format": "onnx",
        "run": name,
    }
    result = digits("export", name[:-1], "--format", "npz", "--output", "here.npz")
    assert result.returncode == 0, result.stderr
    assert "here.npz" in result.stdout
    with np.load(artifacts.parent / "here.npz", allow_pickle=False) as file:
        assert json.loads(str(file["metadata"]))["run"] == name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["1999", "--format", "npz"], "1999: no such run"),
        (["--format", "keras"], "npz"),
        ([], "--format"),
    ],
)
def test_the_command_refuses_what_it_does_not_know(
    settings: Settings, digits: Any, words: list[str], message: str
) -> None:
    """An unknown run or format, or none, is bad input, reported without a traceback."""
    result = digits("export", *words)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (settings.artifacts / "exports").exists()


def test_the_command_names_a_missing_extra(
    settings: Settings, cold_digits: Any, tmp_path: Path
) -> None:
    """On the command line it is one line, and bad input."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['onnx'] = None\n")
    result = cold_digits(
        "export", "--format", "onnx", PYTHONPATH=f"{tmp_path}{os.pathsep}{PROJECT}"
    )
    assert result.returncode == 2
    assert "pip install -e '.[export]'" in result.stderr
    assert "Traceback" not in result.stderr
