"""Runs of a deployment: only some files may be named, and no error shows what is in a file."""

from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from flows.deployed_run import CLUSTER, FOLDERS, URLS, check_deployed_dask, check_deployed_run
from flows.predict_settings import PredictSettings
from flows.settings import Settings
from flows.sweep_settings import SweepSettings
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import read_images
from tasks.errors import HIDE_CONTENTS, DataError, InputError


def in_flow_run(**known: UUID) -> FlowRunContext:
    """Return the context of a flow run of which this is known."""
    return FlowRunContext.model_construct(flow_run=FlowRun(flow_id=uuid4(), **known))


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a run of a deployment."""
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "a-deployment")
    monkeypatch.setenv(HIDE_CONTENTS, "")  # so that it is put back
    monkeypatch.delenv(HIDE_CONTENTS)


@pytest.mark.usefixtures("deployed")
def test_files_of_the_project_may_be_named() -> None:
    """Relative to the working directory, which is the project's folder; a run's name is none."""
    check_deployed_run(csv=Path("data/digits.csv"), initial_weights="latest", output=None)


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("file", ["/etc/passwd", "../other.csv", "data/../../other.csv"])
def test_other_files_are_refused(file: str) -> None:
    """The error names the setting, the file, and the variable that allows more folders."""
    with pytest.raises(InputError, match=f"`csv`: {file} is outside .* {FOLDERS}"):
        check_deployed_run(csv=Path(file))


@pytest.mark.usefixtures("deployed")
def test_folders_of_the_worker_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's environment lists them; a link that leads out of them does not count."""
    monkeypatch.setenv(FOLDERS, f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link.csv").symlink_to(tmp_path / "secret.csv")
    check_deployed_run(csv=tmp_path / "a" / "new.csv", artifacts=tmp_path / "b")
    with pytest.raises(InputError):
        check_deployed_run(csv=tmp_path / "a" / "link.csv")
    with pytest.raises(InputError):
        check_deployed_run(csv=tmp_path / "ab.csv")


@pytest.mark.usefixtures("deployed")
def test_only_the_worker_names_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent to a cluster is executed there, and by its workers here: no parameter may."""
    check_deployed_dask("")
    check_deployed_dask("4")
    with pytest.raises(InputError, match=f"`dask`: .* tcp://elsewhere:8786.* {CLUSTER}"):
        check_deployed_dask("tcp://elsewhere:8786")
    monkeypatch.setenv(CLUSTER, "tcp://cluster:8786")
    check_deployed_dask("tcp://cluster:8786")


@pytest.mark.usefixtures("deployed")
def test_urls_of_the_worker_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's environment lists their beginnings; its keys open more than a run may use."""

    def check(url: str) -> None:
        check_deployed_run(**Settings.model_validate({"artifacts": url}).files)

    with pytest.raises(InputError, match=f"`artifacts`: s3://a/b is not among .* {URLS}"):
        check("s3://a/b")
    monkeypatch.setenv(URLS, "s3://a/b/ gs://c")
    for url in ("s3://a/b", "s3://a/b/c", "gs://c/d"):
        check(url)
    for url in ("s3://a", "s3://a/bc", "s3://c/d"):
        with pytest.raises(InputError):
            check(url)


@pytest.mark.parametrize("known_by", ["deployment_id", "parent_task_run_id"])
def test_a_flow_of_a_deployment_is_checked(known_by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own run, and the run of a flow that it calls, which has no deployment's id of its own."""
    monkeypatch.setattr("flows.deployed_run.deployment", SimpleNamespace(id="a-deployment"))
    monkeypatch.setenv(HIDE_CONTENTS, "")  # so that it is put back
    with in_flow_run(**{known_by: uuid4()}), pytest.raises(InputError):
        check_deployed_run(csv=Path("/etc/passwd"))


def test_a_flow_called_by_hand_does_not_ask_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request for a deployment that can't be there would cost each run a tenth of a second."""
    monkeypatch.setattr("flows.deployed_run.deployment", None)  # where Prefect would ask
    with in_flow_run():
        check_deployed_run(csv=Path("/etc/passwd"))
        check_deployed_dask("tcp://elsewhere:8786")


def test_the_command_line_names_any_file() -> None:
    """It runs as the user, who may read and write what the user may."""
    check_deployed_run(csv=Path("/etc/passwd"))


def test_every_path_of_the_settings_is_checked() -> None:
    """A setting that is added as a path is not forgotten."""
    for settings in (Settings(), SweepSettings(), PredictSettings()):
        paths = {n for n, field in type(settings).model_fields.items() if "Path" in str(field)}
        assert paths <= settings.files.keys()


@pytest.mark.parametrize("cell", ["secret", "1e9", "inf"])
def test_an_error_names_the_place_of_a_cell_and_not_its_content(
    cell: str, small_csv: Path, deployed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says where to look, and not what is in the file."""
    lines = small_csv.read_text().splitlines()
    lines[6] = f"0,{cell}," + lines[6].split(",", 2)[2]
    small_csv.write_text("\n".join(lines))
    monkeypatch.setenv(FOLDERS, str(small_csv.parent))
    check_deployed_run(csv=small_csv)
    with pytest.raises(DataError, match="line 7: column 2: ") as error:
        list(read_images(small_csv, CsvFormat(), image_side=8))
    assert cell not in str(error.value)
    assert "'(hidden)'" not in str(error.value)  # quotes are for what is shown
