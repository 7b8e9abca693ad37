"""An S3 object store on this machine: moto's server, in a process of its own."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen


@contextmanager
def object_store() -> Iterator[dict[str, str]]:
    """Start an object store, and yield the environment variables with which it is used.

    It ends with the context, and with this process however that ends.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.server.ends_with_starter", "examples.object_store"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    port = process.stdout.readline().strip()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "anyone",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }
    finally:
        process.communicate()  # the store ends with this end of its standard input


def make_bucket(endpoint: str, name: str) -> None:
    """Make a bucket; there must be none of that name."""
    urlopen(Request(f"{endpoint}/{name}", method="PUT"), timeout=30).close()


def main() -> None:
    """Serve until the process is ended, one request after the other; print the port first.

    One at a time, because moto looks whether a condition holds and then writes, in two steps.
    """
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app))
    print(server.port, flush=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not a line for every request
    server.serve_forever()


if __name__ == "__main__":
    main()
