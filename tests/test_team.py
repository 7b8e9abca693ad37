"""A team's server: Prefect on PostgreSQL and two workers of one pool, one of which is killed.

`make team N=20` starts more runs at once.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from examples.digits import PROJECT, write_small_csv
from examples.free_port import free_port
from examples.patient_client import patient_client
from examples.postgres import postgres
from examples.real_runs import check

from tasks.runs.folders import MANIFEST, complete_runs

pytestmark = pytest.mark.slow

STEP = "prefect.deployments.steps.set_working_directory"
SECONDS = 240  # until a part is taken to hang, on a machine that may be busy
SECONDS_A_RUN = 60


class Team(NamedTuple):
    """The server's API, the workers, and the folder that they share."""

    api: httpx.Client
    workers: list["subprocess.Popen[bytes]"]
    folder: Path

    def ask(self, where: str, **given: Any) -> Any:
        """Ask the server's API."""
        return self.api.post(where, json=given).raise_for_status().json()

    def deploy(self) -> str:
        """Make the deployment of retraining as prefect.yaml does, and return its id."""
        deployed = self.ask(
            "deployments/",
            name="classic",
            flow_id=self.ask("flows/", name="retrain")["id"],
            entrypoint="flows.retrain.retrain",
            work_pool_name="digits",
            job_variables={
                "working_dir": str(PROJECT),
                "command": f"{sys.executable} -m examples.engine",
            },
            pull_steps=[{STEP: {"directory": str(PROJECT)}}],
        )
        return str(deployed["id"])

    def start(self, deployment: str, seed: int) -> None:
        """Start a run on small digits at once, as the scheduler does."""
        settings = {"csv": str(self.folder / "small.csv"), "recipe": "classic", "seed": seed}
        settings |= {"artifacts": str(self.folder / "artifacts"), "training": {"epochs": 200}}
        scheduled = {"type": "SCHEDULED"}
        where = f"deployments/{deployment}/create_flow_run"
        self.ask(where, parameters={"settings": settings}, state=scheduled)

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """Return the flow runs in some states."""
        wanted = {"state": {"type": {"any_": list(states)}}}
        return list(self.ask("flow_runs/filter", flow_runs=wanted))

    def running(self) -> list[tuple[dict[str, Any], "subprocess.Popen[bytes]"]]:
        """Return the runs that are running, each with its worker."""
        runs = [run for run in self.runs("RUNNING") if run["infrastructure_pid"]]
        workers = {worker.pid: worker for worker in self.workers}
        return [(run, workers[_starter(run)]) for run in runs]


def _starter(run: dict[str, Any]) -> int:
    process = Path("/proc", run["infrastructure_pid"].split(":")[-1], "status")
    (parent,) = (line for line in process.read_text().splitlines() if line.startswith("PPid:"))
    return int(parent.split()[1])


def until(true: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Wait until something is true and return it."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.5)  # each question keeps the server busy for some hundredths
    return value


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """Start PostgreSQL, a server and two workers, which do one run at a time each."""
    write_small_csv(tmp_path / "small.csv")
    with ExitStack() as stack:
        port = free_port()
        environment = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
        environment |= {
            "PREFECT_HOME": str(tmp_path / "home"),
            "PREFECT_API_DATABASE_CONNECTION_URL": stack.enter_context(postgres()),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_UI_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DIGITS_FOLDERS": str(tmp_path),
            "PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "tests")]),
        }

        def start(*words: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.server.ends_with_starter", *words],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            stack.callback(process.communicate)  # it ends with this end of its standard input
            return process

        start("uvicorn", "--factory", "flows.server.app:create_app", "--port", str(port))
        api = stack.enter_context(patient_client(environment["PREFECT_API_URL"]))
        until(lambda: _answers(api))
        work = ["worker", "start", "--pool", "digits", "--type", "process", "--limit", "1"]
        team = Team(api, [start("prefect", *work), start("prefect", *work)], tmp_path)
        until(lambda: api.get("work_pools/digits").is_success)
        until(lambda: len(team.ask("work_pools/digits/workers/filter")) == len(team.workers))
        yield team


def _answers(api: httpx.Client) -> bool:
    try:
        return api.get("health").is_success
    except httpx.HTTPError:
        return False


def test_a_killed_worker_costs_time_and_no_run(team: Team, together: int) -> None:
    """Kill -9 of a worker ends its run as Crashed; the others finish the queue, and that run too.

    All runs share one folder, and each leaves one of its own there that is whole.
    """
    deployment = team.deploy()
    for seed in range(together):
        team.start(deployment, seed)
    run, worker = until(team.running)[0]
    worker.kill()
    until(lambda: not team.runs("SCHEDULED", "PENDING", "RUNNING"), SECONDS_A_RUN * together)
    assert [each["id"] for each in team.runs("CRASHED")] == [run["id"]]

    again = {"type": "SCHEDULED", "name": "AwaitingRetry"}  # what Retry does in the UI
    team.ask(f"flow_runs/{run['id']}/set_state", state=again, force=True)
    until(lambda: len(team.runs("COMPLETED")) == together)
    check(team.folder / "artifacts")
    runs = complete_runs(team.folder / "artifacts")
    seeds = [json.loads((each / MANIFEST).read_text())["settings"]["seed"] for each in runs]
    assert sorted(seeds) == list(range(together))
