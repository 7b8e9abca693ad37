"""What `make serve` starts: real server, real worker, the deployments of prefect.yaml."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import yaml
from examples.digits import PROJECT, write_small_csv
from examples.engine import run_deployed
from examples.free_port import free_port
from examples.patient_client import patient_client
from examples.real_runs import SECONDS, draw_dots, run_digits
from examples.runs import STAGES

from flows.server.runs_in_progress import end_lost_runs
from flows.server.serve import served as serve
from tasks.errors import InputError

pytestmark = pytest.mark.slow

LOGIN = "ada:lovelace"
STEPS = "prefect.deployments.steps"
EPOCHS = 20_000  # of a training that is still at work when that is seen
SECONDS_BETWEEN = 0.5  # two questions: each keeps the server busy for some hundredths


class Served(NamedTuple):
    """A running `digits serve`, as seen from another terminal."""

    process: subprocess.Popen[str]
    port: int
    folder: Path  # where it was started: not the project
    environment: dict[str, str]  # of a second terminal
    api: httpx.Client

    def prefect(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Prefect's."""
        return subprocess.run(
            [sys.executable, "-m", "prefect", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def run(self, deployment: str, *options: str, **settings: Any) -> Any:
        """Start a run of a deployment on small digits from the terminal."""
        parameters = json.dumps(self._parameters(settings))
        return self.prefect("deployment", "run", deployment, "--params", parameters, *options)

    def start(self, deployment: str, **settings: Any) -> str:
        """Start a run at once, as the scheduler does, and return its name."""
        created = self.create(deployment, **settings)
        created.raise_for_status()
        return str(created.json()["name"])

    def run_here(self, deployment: str, **settings: Any) -> dict[str, Any]:
        """Have a run end that no worker takes, with its imports done, and return it."""
        created = self.create(deployment, "PENDING", **settings).raise_for_status().json()
        run_deployed(created["id"], self.environment)
        return self.flow_run(created["name"])

    def create(self, deployment: str, state: str = "SCHEDULED", **settings: Any) -> httpx.Response:
        """Ask for a run and return the server's answer."""
        found = self.api.get(f"deployments/name/{deployment}").json()
        given = {"parameters": self._parameters(settings), "state": {"type": state}}
        path = f"deployments/{found['id']}/create_flow_run"
        return self.api.post(path, json=given)

    def _parameters(self, settings: dict[str, Any]) -> dict[str, Any]:
        given = {"csv": str(self.folder / "small.csv"), "artifacts": str(self.folder / "artifacts")}
        return {"settings": given | {"recipe": "classic"} | settings}

    def read(self, what: str, **filters: Any) -> Any:
        """Ask the server's API."""
        answer = self.api.post(f"{what}/filter", json=filters)
        answer.raise_for_status()
        return answer.json()

    def flow_run(self, name: str) -> dict[str, Any]:
        """Return a flow run as the server knows it."""
        (found,) = self.read("flow_runs", flow_runs={"name": {"any_": [name]}})
        return dict(found)

    def manifests(self) -> list[dict[str, Any]]:
        """Return the manifests of all complete runs, oldest first."""
        found = sorted(self.folder.glob("artifacts/runs/*/manifest.json"))
        return [json.loads(path.read_text()) for path in found]


def name_of(started: subprocess.CompletedProcess[str]) -> str:
    """Return the name that Prefect gave a run."""
    found = re.search("Created flow run '(.+)'", started.stdout)
    assert found, started.stdout + started.stderr
    return found[1]


def until(true: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait until something is true and return it."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(SECONDS_BETWEEN)
    return value


@pytest.fixture(scope="module")
def served(prefect_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Start `digits serve` in a folder of its own, behind a password."""
    folder = tmp_path_factory.mktemp("elsewhere")
    write_small_csv(folder / "small.csv")
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    common = inherited | {
        "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")]),
        "PREFECT_HOME": str(shutil.copytree(prefect_home, folder / "home")),
        "PREFECT_API_DATABASE_MIGRATE_ON_START": "false",  # that home has all there is to have
        "DIGITS_FOLDERS": str(folder),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "serve", "--port", str(port)],
        cwd=folder,
        env=common | {"PREFECT_SERVER_API_AUTH_STRING": LOGIN, "PREFECT_WORKER_QUERY_SECONDS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    assert f"http://127.0.0.1:{port}" in "".join(lines)
    url = f"http://127.0.0.1:{port}/api"
    environment = common | {"PREFECT_API_URL": url, "PREFECT_API_AUTH_STRING": LOGIN}
    with patient_client(url, auth=("ada", "lovelace")) as api:
        yield Served(process, port, folder, environment, api)
    process.send_signal(signal.SIGINT)
    process.wait(90)
    process.stdout.close()


def test_every_deployment_is_as_prefect_yaml_says(served: Served) -> None:
    """Names, schedule with its time zone, pool, limit and project folder reach the server."""
    flows = {one["id"]: one["name"] for one in served.read("flows")}
    deployments = {
        f"{flows[one['flow_id']]}/{one['name']}": one for one in served.read("deployments")
    }
    assert deployments.keys() == {
        "retrain/nightly",
        "retrain/classic",
        "predict/batch",
        "sweep/on-demand",
    }
    for name, one in deployments.items():
        assert one["description"], name
        assert "digits" in one["tags"], name
        assert one["work_pool_name"] == "digits", name
        assert one["job_variables"]["working_dir"] == str(PROJECT), name
        (step,) = one["pull_steps"]
        assert step == {f"{STEPS}.set_working_directory": {"directory": str(PROJECT)}}, name
    nightly = deployments.pop("retrain/nightly")
    (schedule,) = nightly["schedules"]
    assert schedule["schedule"]["cron"] == "30 2 * * *"
    assert schedule["schedule"]["timezone"] == "Europe/Berlin"
    assert nightly["global_concurrency_limit"]["limit"] == 1
    assert nightly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    for name, on_demand in deployments.items():
        assert on_demand["schedules"] == [], name
        assert on_demand["global_concurrency_limit"] is None, name


def test_the_server_plans_the_nightly_runs(served: Served) -> None:
    """A cron schedule becomes runs; with SQLAlchemy 2.1 Prefect's scheduler fails instead."""
    planned = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    assert until(lambda: served.read("flow_runs", **planned))


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a deployment's form with its name, parameters first."""
    for model in (schema, *schema.get("definitions", {}).values()):
        for name, field in model.get("properties", {}).items():
            yield f"{model['title']}.{name}", field


def numbers(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas of the numbers in a field, those in a list too."""
    for one in (field, *field.get("anyOf", []), *field.get("prefixItems", [])):
        if one.get("type") in ("number", "integer"):
            yield one
        elif one.get("type") == "array":
            yield from numbers(one["items"])


def test_every_field_of_the_forms_explains_itself(served: Served) -> None:
    """Every field has title and description, every number a range; the empty ones are as meant."""
    ranged, empty = set(), set()
    for deployment in served.read("deployments"):
        schema, given = deployment["parameter_openapi_schema"], deployment["parameters"]
        for name, field in fields(schema):
            assert field.get("title"), name
            assert field.get("description"), name
            if "default" not in field and name.removeprefix("Parameters.") not in given:
                empty.add((deployment["name"], name.split(".")[0]))
            for number in numbers(field):
                assert {"minimum", "exclusiveMinimum"} & number.keys(), name
                assert {"maximum", "exclusiveMaximum"} & number.keys(), name
                ranged.add(name)
    assert ranged >= {"TrainingSettings.epochs", "TrainingSettings.hidden_layers", "Settings.seed"}
    assert empty == {
        ("nightly", "TrainingSettings"),
        ("classic", "TrainingSettings"),
        ("on-demand", "TrainingSettings"),
        ("batch", "CsvFormat"),
    }


def test_the_server_wants_the_password(served: Served) -> None:
    """Without the password nothing can be read or started."""
    assert served.api.get("admin/version").status_code == 200
    stranger = httpx.post(f"{served.api.base_url}deployments/filter", json={}, timeout=30)
    assert stranger.status_code == 401


@pytest.mark.parametrize(
    ("name", "status"),
    [("localhost", 200), ("127.0.0.1", 200), ("[::1]", 200), ("evil.example", 400), ("", 400)],
)
def test_a_foreign_host_is_refused(served: Served, name: str, status: int) -> None:
    """A page whose name was made to resolve to this machine reaches neither API nor UI."""
    host = {"Host": f"{name}:{served.port}" if name else ""}
    for path in ("/api/admin/version", "/"):
        url = f"http://127.0.0.1:{served.port}{path}"
        answer = httpx.get(url, headers=host, auth=("ada", "lovelace"), timeout=30)
        assert answer.status_code == status, path


def test_pages_of_other_origins_may_not_call_the_api(served: Served) -> None:
    """A browser asks before it sends a page's request, and gets no permission."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = served.api.options("deployments/filter", headers=asked)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1"])
def test_a_server_open_to_others_needs_a_password(host: str) -> None:
    """Refused with the line that sets one: anyone who reaches it could run commands."""
    line = f"PREFECT_SERVER_API_AUTH_STRING=name:password make serve HOST={host}"
    with pytest.raises(InputError, match=re.escape(line)), serve(host, free_port()):
        pass


def test_a_taken_port_is_an_error_with_the_remedy(served: Served) -> None:
    """A second start on the same port says so at once, and what to do."""
    words = ["serve", "--port", str(served.port)]
    again = run_digits(words, served.folder, served.environment, draw_dots)
    assert again.returncode == 2
    assert f"make serve PORT={served.port + 1}" in again.stderr
    assert "Traceback" not in again.stderr


def test_bad_parameters_are_refused_before_a_run_exists(served: Served) -> None:
    """The server names the field and its range, and no run is made."""
    before = served.api.post("flow_runs/count", json={}).json()
    refused = served.create("retrain/classic", training={"epochs": 0})
    assert refused.status_code == 409
    assert "settings.training.epochs" in refused.text
    assert "0 is less than the minimum of 1" in refused.text
    assert served.api.post("flow_runs/count", json={}).json() == before


@pytest.mark.parametrize(
    "variables",
    [{"command": "id"}, {"env": {"A": "b"}}, {"env.A": "b"}, {"working_dir": "/"}],
    ids=str,
)
def test_a_run_says_nothing_about_its_process(served: Served, variables: dict[str, Any]) -> None:
    """Job variables that would start a command or change its environment are refused."""
    found = served.api.get("deployments/name/predict/batch").json()
    path = f"deployments/{found['id']}/create_flow_run"
    refused = served.api.post(path, json={"job_variables": variables})
    assert refused.status_code == 422
    assert next(iter(variables)) in refused.json()["detail"]


@pytest.fixture(scope="module")
def failed(served: Served) -> dict[str, str]:
    """Return the names of two runs that failed: of a file outside, of a bad cell."""
    bad = served.folder / "bad.csv"
    bad.write_text((served.folder / "small.csv").read_text().replace("0,", "confidential,", 1))
    files = {"outside": "/etc/passwd", "bad cell": str(bad)}
    runs = {why: served.run_here("retrain/classic", csv=csv) for why, csv in files.items()}
    assert [run["state_type"] for run in runs.values()] == ["FAILED"] * 2
    return {why: run["name"] for why, run in runs.items()}


def test_a_run_names_only_allowed_files(served: Served, failed: dict[str, str]) -> None:
    """The run fails before it reads anything, and its state says which folders are allowed."""
    message = served.flow_run(failed["outside"])["state"]["message"]
    assert "`csv`: /etc/passwd is outside of the folders" in message
    assert str(PROJECT) in message
    assert "DIGITS_FOLDERS" in message


def test_no_state_or_log_of_a_run_shows_a_cell(served: Served, failed: dict[str, str]) -> None:
    """Errors name the place of a bad cell; its content stays in the file."""
    run = served.flow_run(failed["bad cell"])
    assert "bad.csv: line 1: column " in run["state"]["message"]
    tasks = served.read("task_runs", flow_runs={"name": {"any_": [run["name"]]}})
    logs = served.read("logs", logs={"flow_run_id": {"any_": [run["id"]]}})
    assert tasks
    assert logs
    assert "confidential" not in json.dumps([run, tasks, logs])


def start_training(served: Served, epochs: int) -> dict[str, Any]:
    """Start a run and return it once it is training."""
    name = served.start("retrain/nightly", training={"epochs": epochs})

    def training() -> Any:
        tasks = {"name": {"like_": "train-"}, "state": {"type": {"any_": ["RUNNING"]}}}
        return served.read("task_runs", task_runs=tasks, flow_runs={"name": {"any_": [name]}})

    until(training)
    return until(lambda: (run := served.flow_run(name))["infrastructure_pid"] and run)  # type: ignore[no-any-return]


def states(manifest: dict[str, Any]) -> dict[str, str]:
    """Return which stages of a run ran and which were cached."""
    return {name: stage["state"] for name, stage in manifest["stages"].items()}


def test_a_killed_run_ends_as_crashed_and_the_next_one_resumes_its_work(served: Served) -> None:
    """One run at a time: a second is cancelled before it starts, until the first is gone.

    Kill -9 in mid-training: Crashed, its place is free, and only training is done again.
    """
    killed = start_training(served, epochs=EPOCHS)
    process = int(killed["infrastructure_pid"].split(":")[-1])
    os.kill(process, signal.SIGSTOP)  # it stays in mid-training, however long the rest takes
    second = served.start("retrain/nightly", training={"epochs": 5})
    until(lambda: served.flow_run(second)["state_type"] == "CANCELLED")
    assert not served.read("task_runs", flow_runs={"name": {"any_": [second]}})
    assert served.flow_run(killed["name"])["state_type"] == "RUNNING"

    os.kill(process, signal.SIGKILL)
    until(lambda: served.flow_run(killed["name"])["state_type"] == "CRASHED")

    resumed = served.run("retrain/nightly", "--watch", training={"epochs": EPOCHS})
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    (manifest,) = served.manifests()
    assert manifest["run"].endswith(name_of(resumed))
    assert states(manifest) == {
        **dict.fromkeys(["ingest", "shuffle_split"], "cached"),
        **dict.fromkeys(["train", "evaluate"], "ran"),
    }


def test_a_deployed_run_with_nothing_new_runs_no_stage(served: Served) -> None:
    """After the run before it all comes from the cache, of another deployment's run too."""
    again = served.run_here("retrain/classic", training={"epochs": EPOCHS})
    assert (again["state_type"], again["state"]["name"]) == ("COMPLETED", "Unchanged")
    first, second = served.manifests()
    assert second["run"].endswith(again["name"])
    assert states(second) == dict.fromkeys(STAGES, "cached")
    assert first["files"]["weights.pkl"] == second["files"]["weights.pkl"]


def test_runs_of_a_killed_worker_end_when_its_server_starts_again(served: Served) -> None:
    """They are known by the worker's name; those of other workers go on."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    found = served.api.get("deployments/name/retrain/classic").json()
    names = []
    for worker in ("killed", "at work"):
        labels = {"prefect.worker.name": worker}
        given = {"state": {"type": "RUNNING"}, "labels": labels}
        created = served.api.post(f"deployments/{found['id']}/create_flow_run", json=given)
        names.append(created.raise_for_status().json()["name"])
    url = served.environment["PREFECT_API_URL"]
    with (
        temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: LOGIN}),
        get_client(sync_client=True) as client,
    ):
        for worker, states in (("killed", ["CRASHED", "RUNNING"]), ("at work", ["CRASHED"] * 2)):
            end_lost_runs(client, "digits", worker)
            assert [served.flow_run(name)["state_type"] for name in names] == states


def test_every_end_of_a_run_is_an_event(served: Served) -> None:
    """Automations see promoted, unchanged and failed runs apart, with accuracy and folder."""
    verdicts = {manifest["verdict"] for manifest in served.manifests()}
    assert verdicts >= {"promoted", "unchanged"}
    expected = {f"digits.run.{end}" for end in (*verdicts, "failed")}

    def events() -> Any:
        wanted = {"event": {"prefix": ["digits.run."]}, "occurred": {}}
        return {one["event"]: one for one in served.read("events", filter=wanted)["events"]}

    until(lambda: events().keys() >= expected)  # the server writes them down in batches
    promoted = events()["digits.run.promoted"]["payload"]
    assert 0 <= promoted["accuracy"] <= 1
    assert Path(promoted["directory"], "manifest.json").is_file()


def test_automations_change_runs(served: Served) -> None:
    """What an automation does to a run is a call of the API that no check of callers refuses."""
    found = served.api.get("deployments/name/retrain/classic").json()
    where = f"deployments/{found['id']}/create_flow_run"
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}}
    run = served.api.post(where, json={"state": later}).raise_for_status().json()
    automation = {
        "name": "End one run",
        "trigger": {
            "type": "event",
            "posture": "Reactive",
            "match": {"prefect.resource.id": f"prefect.flow-run.{run['id']}"},
            "expect": ["prefect.flow-run.Pending"],
            "within": 0,
        },
        "actions": [{"type": "change-flow-run-state", "state": "CRASHED"}],
    }
    served.api.post("automations/", json=automation).raise_for_status()

    def ended() -> bool:
        state = {"state": {"type": "PENDING"}, "force": True}
        served.api.post(f"flow_runs/{run['id']}/set_state", json=state)
        time.sleep(1)  # the server hears of a new automation a moment later
        return bool(served.flow_run(run["name"])["state_type"] == "CRASHED")

    until(ended)


@pytest.mark.parametrize("name", ["notify", "unbegun", "vanished"])
def test_the_automations_load(served: Served, name: str) -> None:
    """Prefect accepts each automation as it stands in the project."""
    text = (PROJECT / "automations" / f"{name}.yaml").read_text()
    created = served.api.post("automations/", json=yaml.safe_load(text))
    assert created.status_code == 201, created.text


def test_interrupting_stops_server_worker_and_runs(served: Served) -> None:
    """One Ctrl-C ends everything that was started, a run in mid-training too."""
    run = start_training(served, epochs=1_000_000)
    flow_process = int(run["infrastructure_pid"].split(":")[-1])
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(90) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(flow_process, 0)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", served.port)) != 0
