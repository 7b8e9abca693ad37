"""A client of Prefect's API that waits for a busy server, as Prefect's own client does."""

import time
from typing import Any

import httpx

_SECONDS_BETWEEN = 0.5
_TIMES = 60


class _AskAgain(httpx.HTTPTransport):
    """Sends a request again for as long as SQLite is locked: then the server answers with 503."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(_TIMES):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            answer.close()
            time.sleep(_SECONDS_BETWEEN)
        return super().handle_request(request)


def patient_client(api: str, **options: Any) -> httpx.Client:
    """Return a client of the API at a URL; the options are those of `httpx.Client`."""
    return httpx.Client(base_url=api, transport=_AskAgain(), timeout=60, **options)
