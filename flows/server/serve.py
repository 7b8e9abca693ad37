"""A Prefect server, the project's deployments and a worker, started and stopped together.

Every part is Prefect's own command; only their order is here.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from flows.server.app import NAMES
from flows.server.errors import ServerError
from flows.server.prefect_setup import check_home
from flows.server.runs_in_progress import cancel_runs, end_lost_runs
from flows.server.work_pool import POOL, make_pool
from flows.shipped import shipped, working_folders
from tasks.errors import InputError

RUNS_AT_ONCE = max(2, (os.cpu_count() or 1) // 2)  # a training keeps two cores busy
SECONDS_TO_START = 180  # the first start makes the database
SECONDS_TO_STOP = 30
EVERYWHERE = ("0.0.0.0", "::")
PASSWORD = "PREFECT_SERVER_API_AUTH_STRING"


@contextmanager
def served(
    host: str, port: int, names: Sequence[str] = ()
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Run server and worker while the context lasts; at its end, runs in progress are cancelled.

    Args:
        host: the address to listen on.
        port: the port to listen on.
        names: names that the server is to answer to besides its addresses and the machine's name.

    Yields:
        The processes of the server and the worker.

    Raises:
        InputError: the port is taken, or other machines could start runs without a password.
        ServerError: a part could not be started.
    """
    _check_password(host)
    _check_port(host, port)
    check_home()
    _set_environment(address(host, port), [host, *names])
    app = ["--factory", "flows.server.app:create_app", "--log-level", "warning"]
    with _started("uvicorn", *app, "--host", host, "--port", str(port)) as server:
        _wait_for(server)
        make_pool()
        _must("--no-prompt", "deploy", "--all", "--prefect-file", str(shipped("prefect.yaml")))
        name = f"{socket.gethostname()}:{port}"  # one worker has it at a time: the port is one's
        with _client() as client:
            end_lost_runs(client, POOL, name)
        work = ["worker", "start", "--pool", POOL, "--type", "process", "--name", name]
        with _started("prefect", *work, "--limit", str(RUNS_AT_ONCE)) as worker:
            try:
                yield [server, worker]
            finally:
                with _client() as client:
                    cancel_runs(client, POOL, SECONDS_TO_STOP)


def address(host: str, port: int) -> str:
    """Return where the UI is found from this machine."""
    reached = "127.0.0.1" if host in EVERYWHERE else host
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"{host}:{port} can't be used: {error.strerror}. If another `make serve` or "
                f"Prefect server is running, stop it; or choose a port: make serve PORT={port + 1}"
            ) from error


def _check_password(host: str) -> None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise InputError(f"{host}: no address of this machine: {error.strerror}.") from error
    only_here = all(ip_address(address[0]).is_loopback for *_, address in found)
    if not only_here and not os.environ.get(PASSWORD):
        raise InputError(
            f"{host} is open to other machines, and anyone who reaches the server can run commands "
            f"on this one. Set a password: {PASSWORD}=name:password make serve HOST={host}"
        )


def _set_environment(at: str, names: Sequence[str]) -> None:
    """Set the server's address and names and the login for everything started from here."""
    os.environ["PREFECT_API_URL"] = f"{at}/api"
    os.environ[NAMES] = ",".join(filter(None, [os.environ.get(NAMES), *names]))
    # Pages of other origins get no answer; the UI's own origin needs no permission.
    os.environ.setdefault("PREFECT_SERVER_CORS_ALLOWED_ORIGINS", at)
    # The UI runs in the browser and asks the host and port it came from.
    os.environ.setdefault("PREFECT_UI_API_URL", "/api")
    if login := os.environ.get(PASSWORD):
        os.environ.setdefault("PREFECT_API_AUTH_STRING", login)


@contextmanager
def _started(module: str, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    # In a session of its own: Ctrl-C on the terminal reaches this process alone, which stops the
    # parts in their order.
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.server.ends_with_starter", module, *words],
        cwd=working_folders()[0],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _must(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        cwd=working_folders()[0],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        output = (done.stdout + done.stderr).strip()
        raise ServerError(f"prefect {' '.join(words)} failed:\n{output}")


def _client() -> Any:
    # Imported here: Prefect reads its settings from the environment when it is imported.
    from prefect.client.orchestration import get_client

    return get_client(sync_client=True)


def _wait_for(server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    with _client() as client:
        while client.api_healthcheck() is not None:
            if server.poll() is not None:
                raise ServerError(f"The Prefect server ended with exit code {server.returncode}.")
            if time.monotonic() > deadline:
                raise ServerError(f"The Prefect server did not answer in {SECONDS_TO_START} s.")
            time.sleep(0.3)
