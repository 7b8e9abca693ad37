"""Prefect's server, answering only to the names it is known by.

A web page can have its own name resolve to this machine (DNS rebinding) and then send requests that
the browser takes for its own. Their Host header still has the page's name, so they are refused.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

NAMES = "DIGITS_SERVER_NAMES"  # environment variable: further names, separated by commas


def create_app() -> ASGIApp:
    """Return Prefect's API and UI behind a check of the Host header; uvicorn calls this.

    The check is around Prefect's app and not in it: Prefect's automations call that app within this
    process, by a name of their own.
    """
    # Imported here, so that `known_names` can be asked without a second of imports.
    from prefect.server.api.server import create_app as create_prefect_app

    app = create_prefect_app(final=True)
    return TrustedHostMiddleware(app, allowed_hosts=sorted(known_names()))


def known_names() -> set[str]:
    """Return the names and addresses of this machine, and those of the environment variable."""
    given = os.environ.get(NAMES, "").split(",")
    names = {"localhost", "127.0.0.1", "::1", *_own_names(), *filter(None, given)}
    return {f"[{name}]" if ":" in name else name for name in names}  # as IPv6 is written in a URL


def _own_names() -> Iterator[str]:
    yield socket.gethostname()
    yield socket.getfqdn()
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Sends nothing: it only has the kernel choose the address that other machines see.
        probe.connect(("192.0.2.1", 9))
        yield str(probe.getsockname()[0])
