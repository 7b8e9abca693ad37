"""A Prefect server for one command, where none is configured.

Prefect would start one by itself, but only after all imports, and after importing the server's code
into this process too. Started before the imports, in another process, it is ready seconds earlier.
"""

import atexit
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Event, Thread
from urllib.error import URLError
from urllib.request import urlopen

from rich.console import Console

from flows.server.errors import ServerError
from flows.server.prefect_setup import api_is_configured, check_home

SECONDS_TO_START = 180
SECONDS_TO_EXPLAIN = 8  # until a line says what is being waited for
_SETTINGS = {
    "PREFECT_SERVER_UI_ENABLED": "false",
    # The schedules of deployments are not this command's to keep.
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}


def start_in_background() -> Callable[[], None]:
    """Start a server where none is configured; it ends with this process, however that ends.

    To be called before Prefect is imported, which reads its settings then.

    Returns:
        What to call when the server is needed: waits until it answers, and raises ServerError if it
        never does. From then on, this process ends if the server does.

    Raises:
        ServerError: Prefect's folder can't be written to.
    """
    if api_is_configured():
        return lambda: None
    check_home()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--factory", "flows.server.app:create_app", "--log-level", "error"]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.server.ends_with_starter", "uvicorn", *words],
        env={**os.environ, **_SETTINGS},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the server
    )
    # Registered before Prefect's own exit functions, so that it runs after them: they use it.
    stopping = Event()
    atexit.register(_stop, process, stopping)
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    os.environ.setdefault("PREFECT_UI_URL", "")  # or the log names a page that is not there

    def ready() -> None:
        _wait_for(process, port)
        Thread(target=_end_with, args=(process, stopping), daemon=True).start()

    return ready


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    begun = time.monotonic()
    explained = False
    while process.poll() is None and time.monotonic() < begun + SECONDS_TO_START:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5):
                return
        except (URLError, TimeoutError):  # not yet
            time.sleep(0.05)
        if not explained and time.monotonic() > begun + SECONDS_TO_EXPLAIN:
            explained = True
            print("Waiting for Prefect; its first start creates its database.", file=sys.stderr)
    ended = process.poll()
    what = (
        f"did not answer in {SECONDS_TO_START} s" if ended is None else f"ended with code {ended}"
    )
    raise ServerError(
        f"the temporary Prefect server {what}. Its messages are above; `prefect server start` "
        "shows more of them."
    )


def _end_with(process: "subprocess.Popen[bytes]", stopping: Event) -> None:
    """End this process if the server does: Prefect's client would retry every call for minutes.

    At once, as kill -9 would: every clean way out wants to report to the server.
    """
    code = process.wait()
    if stopping.is_set():
        return
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    err.show_cursor()  # a progress bar hides it
    err.print(
        f"\n[bold red]error:[/] the temporary Prefect server ended with code {code} during the "
        "run. Finished stages and the checkpoint of a training are kept: start again to resume."
    )
    sys.stdout.flush()
    os._exit(1)


def _stop(process: "subprocess.Popen[bytes]", stopping: Event) -> None:
    stopping.set()
    process.communicate()  # closes its standard input, on which it ends
