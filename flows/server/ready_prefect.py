"""Prefect made ready for a command that runs a flow in its own process."""

from collections.abc import Iterator
from contextlib import contextmanager

from flows.imports import without_collector
from flows.server.environment import configure_prefect, hide_own_tracebacks
from flows.server.temporary_server import start_in_background


@contextmanager
def ready_prefect() -> Iterator[None]:
    """Have a flow imported in the block, while a server starts where none is configured.

    After the block the server answers, and the flow can be called.

    Raises:
        ServerError: Prefect's folder can't be written to, or the server never answers.
    """
    configure_prefect()
    server_is_ready = start_in_background()
    with without_collector():
        yield
    hide_own_tracebacks()
    server_is_ready()
