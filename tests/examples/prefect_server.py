"""The one Prefect server of all tests and test workers."""

import fcntl
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

SECONDS_TO_START = 180


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """Start a server with its UI on a database of its own, and yield its address at once.

    It ends with the context, and with this process however that ends.

    Args:
        home: Prefect's home, an empty folder; nothing is in it before and all is there after.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    environment |= {
        "PREFECT_HOME": str(home),
        "PREFECT_UI_STATIC_DIRECTORY": str(home / "static"),
        "PREFECT_UI_API_URL": "/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # It records runs, logs and artifacts; what is done with events is asked of other servers.
        "PREFECT__SERVER_WEBSERVER_ONLY": "1",  # as Prefect's own `server start --no-services`
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    }
    words = ["--factory", "flows.server.app:create_app", "--log-level", "error"]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.server.ends_with_starter", "uvicorn", *words],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C to the tests comes to them first
        )
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        process.communicate()  # the server ends with this end of its standard input


def wait_for(address: str, home: Path) -> None:
    """Wait until the server answers; the first to see that copies its home while it is pristine."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        template = home / "template"
        if template.exists():
            return
        deadline = time.monotonic() + SECONDS_TO_START
        while not _answers(address):
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.1)
        template.mkdir()
        shutil.copy(home / "memo_store.toml", template)
        with (
            closing(sqlite3.connect(home / "prefect.db")) as database,
            closing(sqlite3.connect(template / "prefect.db")) as copy,
        ):
            database.backup(copy)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/health", timeout=5):
            return True
    except (URLError, TimeoutError):
        return False
