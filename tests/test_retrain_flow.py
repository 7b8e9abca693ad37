"""The flow with Prefect: what is cached, what runs again and why, what a run leaves."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from examples.runs import STAGES, changed, manifest, ran, run
from pydantic import BaseModel

from flows.retrain import retrain
from flows.settings import Settings

pytestmark = pytest.mark.usefixtures("server")


def test_a_second_identical_run_runs_no_stage(settings: Settings) -> None:
    """Nothing changed, nothing runs; Prefect says Cached and the flow ends as Unchanged."""
    state = retrain(settings, return_state=True)
    assert ran(state.result()) == []
    assert state.name == "Unchanged"


FROM_SPLIT, FROM_TRAIN = STAGES[1:], STAGES[2:]
# Every field of the settings: a change of it, the stages that run then, and why the first of them.
CHANGES: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "csv": ({"csv": Path("copy.csv")}, [], ""),
    "recipe": ({"recipe": "accurate"}, [], ""),  # its name is in no key, what it sets is
    "seed": ({"seed": 1}, FROM_SPLIT, "seed changed 0 → 1"),
    "artifacts": ({"artifacts": Path("others")}, STAGES, "first run"),
    "refresh": ({"refresh": ("train",)}, ["train"], "refresh was asked for"),
    "initial_weights": ({"initial_weights": "latest"}, FROM_TRAIN, "input initial.weights is new"),
    "workers": ({"workers": 2}, [], ""),
    # Of so few images all is computed by one thread anyway, and the network is the same.
    "training.partitions": (
        {"training": {"partitions": 1}},
        ["train"],
        "training.partitions changed 0 → 1",
    ),
    "training.threads": ({"training": {"threads": 1}}, ["train"], "training.threads changed 2 → 1"),
    # The first member is the network that there is.
    "training.members": (
        {"training": {"members": 2}},
        ["evaluate"],
        "input trained.weights changed",
    ),
    "training.average_shifts": (
        {"training": {"average_shifts": True}},
        ["evaluate"],
        "average_shifts changed false → true",
    ),
    "fail_on_drift": ({"fail_on_drift": True}, [], ""),
    "promotion.min_gain": ({"promotion": {"min_gain": 0.1}}, [], ""),
    "promotion.max_recall_drop": ({"promotion": {"max_recall_drop": 0.1}}, [], ""),
    "split.train_fraction": (
        {"split": {"train_fraction": 0.5}},
        FROM_SPLIT,
        "split.train_fraction changed 0.8 → 0.5",
    ),
    "split.stratify": (
        {"split": {"stratify": True}},
        FROM_SPLIT,
        "split.stratify changed false → true",
    ),
    # Their order does not matter; other ones would be another file's.
    "data.classes": ({"data": {"classes": tuple(reversed(range(10)))}}, [], ""),
    **{
        f"data.{name}": ({"data": {name: value}}, expected, f"data.{name} changed {words}")
        for name, value, words, expected in [
            ("label_column", "first", '"last" → "first"', STAGES),
            ("pixel_max", 250, "255.0 → 250.0", STAGES),
            ("pixel_order", "column", '"row" → "column"', STAGES),
            # Ingest notes how it read the CSV; the digits, and so their split, are the same.
            ("label_ten_is_zero", True, "false → true", STAGES[:2]),
        ]
    },
    **{
        f"training.{name}": (
            {"training": {name: value, **others}},
            FROM_TRAIN,
            f"training.{name} changed {words}",
        )
        for name, value, words, others in [
            ("hidden_layers", (12, 9), "[40] → [12, 9]", {}),
            ("activation", "tanh", '"sigmoid" → "tanh"', {}),
            ("initialization", "glorot", '"uniform" → "glorot"', {}),
            ("epochs", 6, "5 → 6", {}),
            ("batch_size", 32, "0 → 32", {}),
            ("learning_rate", 0.7, "1.2 → 0.7", {}),
            ("schedule", "cosine", '"constant" → "cosine"', {}),
            ("momentum", 0.5, "0.0 → 0.5", {}),
            ("convolutions", (2,), "[] → [2]", {}),
            ("l2", 0.5, "1.0 → 0.5", {}),
            ("distortion", 1.0, "0.0 → 1.0", {}),
            ("freeze_layers", 1, "0 → 1", {}),
            ("validation_fraction", 0.2, "0.0 → 0.2", {}),
            ("patience", 2, "0 → 2", {"validation_fraction": 0.2}),
            ("dtype", "float64", '"float32" → "float64"', {}),
        ]
    },
}


def fields(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Return every field of a settings model, with those of the models in it."""
    found = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= fields(kind, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


def test_the_table_of_changes_has_every_setting() -> None:
    """A new setting has to say which stages depend on it."""
    in_no_key = {"dask"}  # it needs workers: tests/training/test_partitions.py
    assert CHANGES.keys() == fields(Settings) - in_no_key


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_setting_reruns_its_stage_and_those_after_it(
    settings: Settings, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what depends on the setting runs again, and the manifest says which setting it was."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(settings.csv, "copy.csv")
    change, expected, reason = CHANGES[field]
    published = run(changed(settings, **change))
    assert ran(published) == expected
    if expected:
        assert reason in manifest(published)["stages"][expected[0]]["reason"]


def test_a_renamed_and_touched_csv_reruns_nothing(settings: Settings, tmp_path: Path) -> None:
    """The CSV counts by its bytes, not by its name or date."""
    settings.csv.rename(tmp_path / "renamed.csv")
    os.utime(tmp_path / "renamed.csv", (0, 0))
    assert ran(run(changed(settings, csv=tmp_path / "renamed.csv"))) == []


def test_one_changed_pixel_reruns_everything(settings: Settings) -> None:
    """Every stage depends on every pixel."""
    first, rest = settings.csv.read_text().split(",", maxsplit=1)
    settings.csv.write_text(f"{int(first) + 1},{rest}")
    assert ran(run(settings)) == STAGES


def test_the_same_digits_written_otherwise_rerun_ingest_only(settings: Settings) -> None:
    """Early cut-off: where ingest comes to the same Parquet, later stages stay cached."""
    settings.csv.write_bytes(settings.csv.read_bytes().replace(b"\n", b"\r\n"))
    assert ran(run(settings)) == ["ingest"]


@pytest.mark.parametrize(
    ("stage", "stored", "harm"),
    [
        ("ingest", "digits-*", "truncated"),
        ("shuffle_split", "test-*", "altered"),
        ("train", "weights-*.pkl", "altered"),
        ("evaluate", "predictions-*.parquet", "deleted"),
    ],
)
def test_a_harmed_stored_file_is_made_again(
    settings: Settings, stage: str, stored: str, harm: str
) -> None:
    """A stage whose output was deleted, cut off or altered runs again, heals it, and says so."""
    (file,) = (settings.artifacts / "store").glob(stored)
    whole = file.read_bytes()
    if harm == "deleted":
        file.unlink()
    else:
        file.write_bytes(whole[:-1] + (b"" if harm == "truncated" else bytes([whole[-1] ^ 1])))
    published = run(settings)
    assert ran(published) == [stage]
    assert file.name in manifest(published)["stages"][stage]["reason"]
    assert file.read_bytes() == whole


class _Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_a_record_that_wants_to_be_unpickled_is_refused(settings: Settings, tmp_path: Path) -> None:
    """A tampered result record never chooses its own reader: it is dropped and the stage runs."""
    from prefect._internal.result_records import ResultRecord, ResultRecordMetadata
    from prefect.serializers import PickleSerializer

    hostile = ResultRecord(
        metadata=ResultRecordMetadata(serializer=PickleSerializer()),
        result=_Bomb(tmp_path / "exploded"),
    ).serialize()
    for record in (settings.artifacts / "results").iterdir():
        record.write_bytes(hostile)
    published = run(settings)
    assert ran(published) == STAGES
    assert "refused" in manifest(published)["stages"]["ingest"]["reason"]
    assert not (tmp_path / "exploded").exists()
    ResultRecord.deserialize(hostile)
    assert (tmp_path / "exploded").exists(), "the bomb must be real for the test to mean anything"


def test_equal_runs_leave_equal_bytes(settings: Settings, tmp_path: Path) -> None:
    """The same inputs, settings and machine give the same weights, metrics and figures."""
    (before,) = (settings.artifacts / "runs").iterdir()
    first = json.loads((before / "manifest.json").read_text())["files"]
    again = manifest(run(changed(settings, artifacts=tmp_path / "other")))["files"]
    timeless = first.keys() - {"report.md", "report.html"}  # these name the time and the run
    assert len(timeless) >= 8
    assert {name: first[name] for name in timeless} == {name: again[name] for name in timeless}


def test_a_run_leaves_its_folder_and_its_artifacts_in_prefect(settings: Settings) -> None:
    """The folder holds what DESIGN says, with its digests; Prefect holds the report and a table."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    from tasks.cache.store import sha256_of

    settings = changed(settings, artifacts=settings.artifacts / "fresh")
    published = run(settings)
    folder = published.directory
    recorded = manifest(published)
    expected = {"metrics.json", "weights.pkl", "model.json", "report.md", "report.html"} | {
        *("profile.json", "figures/accuracy.svg", "figures/data.svg"),
    }
    expected |= {
        f"figures/{name}"
        for name in (
            *("cost.svg", "confusion.svg", "predictions.png", "mistakes.png", "weights.png"),
            *("cost.png", "confusion.png"),  # for Prefect's page, which shows no SVG
        )
    }
    assert set(recorded["files"]) == expected
    assert {name: sha256_of(folder / name) for name in recorded["files"]} == recorded["files"]
    assert (settings.artifacts / "latest").resolve() == folder.resolve()
    assert {path.name for path in settings.artifacts.rglob(".*")} == {".in-use", ".champion-lock"}

    own = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[recorded["flow_run_id"]]))
    with get_client(sync_client=True) as client:
        artifacts = {
            artifact.key: artifact for artifact in client.read_artifacts(artifact_filter=own)
        }
    assert set(artifacts) == {"retraining-report", "per-digit", "training"}
    assert "data:image/png;base64," in artifacts["retraining-report"].data
    assert len(artifacts["retraining-report"].data) < 200_000
    assert len(json.loads(artifacts["per-digit"].data)) == 10


def test_a_worse_network_does_not_replace_the_champion(settings: Settings) -> None:
    """A challenger that reads fewer of today's test digits is published but the champion stays."""
    best = run(changed(settings, training={"epochs": 300, "learning_rate": 1.0, "l2": 0.01}))
    assert best.verdict == "promoted"
    state = retrain(changed(settings, training={"epochs": 4}), return_state=True)
    worse = state.result()
    assert worse.accuracy < best.accuracy
    assert (worse.verdict, state.name) == ("kept", "Kept")
    assert json.loads((settings.artifacts / "champion.json").read_text())["run"] == best.run
    compared = json.loads((worse.directory / "metrics.json").read_text())["champion"]
    assert compared["run"] == best.run
    assert compared["accuracy"] == best.accuracy


def test_an_edit_in_network_reruns_train_and_evaluate(
    cold_digits: Any, settings: Settings, tmp_path: Path, server: str
) -> None:
    """A changed source file reruns the stages that use it, and nothing before them."""
    project = Path(__file__).resolve().parent.parent
    copy = tmp_path / "project"
    for package in ("flows", "tasks", "network"):
        shutil.copytree(project / package, copy / package)
    words = ("train", "--csv", settings.csv, "--recipe", "classic", "--epochs", 5, "--json")
    environment = {"PYTHONPATH": str(copy), "PREFECT_API_URL": server}
    with (copy / "network" / "loss.py").open("a") as module:
        module.write("# a remark\n")
    again = json.loads(cold_digits(*words, **environment).stdout)
    assert [stage for stage in STAGES if again["stages"][stage] == "ran"] == ["train", "evaluate"]
    recorded = json.loads((tmp_path / again["directory"] / "manifest.json").read_text())
    assert recorded["stages"]["train"]["reason"] == "network/loss.py changed"
