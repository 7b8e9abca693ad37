"""`digits serve`: server, deployments and worker in one command."""

import signal
import time
from types import FrameType
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.options import out
from flows.server.environment import configure_prefect
from flows.server.errors import ServerError
from flows.server.serve import address, served


def serve(
    *,
    host: Annotated[
        str, Parameter(help="Address to listen on; 0.0.0.0 for all, which needs a password.")
    ] = "127.0.0.1",
    port: Annotated[
        int, Parameter(validator=Number(gte=1, lte=65_535), help="Port to listen on.")
    ] = 4200,
    names: Annotated[
        tuple[str, ...],
        Parameter(
            consume_multiple=True,
            negative="",
            show_default=False,
            help="Further names to answer to, such as a proxy's; requests to others are refused.",
        ),
    ] = (),
) -> None:
    """Start a Prefect server, deploy all of prefect.yaml and work on it, until Ctrl-C."""
    configure_prefect()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)  # also where a shell started this with & and no SIGINT
    out.print("Starting a Prefect server, the deployments and a worker …")
    try:
        with served(host, port, names) as parts:
            at = address(host, port)
            out.print(
                f"Ready: {at}\n"
                f"In another terminal:\n"
                f"  export PREFECT_API_URL={at}/api\n"
                f"  prefect deployment run retrain/nightly --watch\n"
                "Ctrl-C stops everything."
            )
            while all(part.poll() is None for part in parts):
                time.sleep(0.5)
            raise ServerError("The server or the worker ended by itself; everything is stopped.")
    except KeyboardInterrupt:
        out.print("Stopped.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
