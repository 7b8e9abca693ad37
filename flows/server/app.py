"""Prefect's server, answering only to the names it is known by, with pages that ask no other host.

A web page can have its own name resolve to this machine (DNS rebinding) and then send requests that
the browser takes for its own. Their Host header still has the page's name, so they are refused.

Prefect's UI brings the client of an analytics service, and a report may hold a link to a picture
anywhere. The browser is told to load and to call nothing but this server. In place of a page that
would stay empty for that there is a line.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.imports import without_collector

NAMES = "DIGITS_SERVER_NAMES"  # environment variable: further names, separated by commas

# The UI draws with inline styles, compiles code, and has pictures and workers made of its own data.
CONTENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "frame-ancestors 'self'",
    ]
)

# Pages that show the API's description with scripts from elsewhere.
_VIEWERS = {f"{place}/{page}" for place in ("", "/api") for page in ("docs", "redoc")}
_INSTEAD = HTMLResponse(
    "<!doctype html><title>The API's description</title><p>The description of the API is "
    '<a href="openapi.json">openapi.json</a>; the page that would show it here loads its scripts '
    "from another server, which this one does not allow."
)


def create_app() -> ASGIApp:
    """Return Prefect's API and UI behind a check of the Host header; uvicorn calls this.

    The check is around Prefect's app and not in it: Prefect's automations call that app within this
    process, by a name of their own.
    """
    with without_collector():
        # Imported here, so that `known_names` can be asked without a second of imports.
        from prefect.server.api.server import create_app as create_prefect_app

        app = create_prefect_app(final=True)
    guarded = TrustedHostMiddleware(without_viewers(app), allowed_hosts=sorted(known_names()))
    return with_content_policy(guarded)


def without_viewers(app: ASGIApp) -> ASGIApp:
    """Return an app with a line in place of the pages that load their scripts from elsewhere."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_viewer = scope["type"] == "http" and scope["path"] in _VIEWERS
        await (_INSTEAD if is_viewer else app)(scope, receive, send)

    return answer


def with_content_policy(app: ASGIApp) -> ASGIApp:
    """Return an app whose answers tell the browser what a page of it may load and call."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = CONTENT_POLICY
            await send(message)

        await app(scope, receive, send_with_policy)

    return answer


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
