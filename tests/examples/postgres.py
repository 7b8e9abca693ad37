"""A PostgreSQL server for a test, started from the machine's own programs."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.free_port import free_port


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server with an empty database on a spare port, and yield the database's address."""
    password = secrets.token_hex()
    port = free_port()
    with TemporaryDirectory() as folder:
        secret = Path(folder) / "password"
        secret.write_text(password)
        user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
        if user:
            shutil.chown(folder, user)
            shutil.chown(secret, user)

        def call(program: str, *words: str) -> None:
            subprocess.run(
                [_program(program), "--pgdata", f"{folder}/data", *words],
                cwd=folder,
                user=user,
                check=True,
                stdout=subprocess.DEVNULL,
            )

        login = ["--username", "prefect", "--pwfile", str(secret), "--auth", "scram-sha-256"]
        call("initdb", *login, "--encoding", "UTF8", "--no-locale", "--no-sync")
        # No file of a socket, and no waiting for the disk: nothing here outlives the test.
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k '' -c fsync=off"
        call("pg_ctl", "--log", f"{folder}/log", "--options", options, "--wait", "start")
        try:
            yield f"postgresql+asyncpg://prefect:{password}@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "--mode", "immediate", "--wait", "stop")


def _program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; Debian has them on no PATH."""
    of_debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(of_debian[-1]) if of_debian else None)
    assert found, f"{name} is not here: install PostgreSQL (Debian: apt install postgresql)"
    return found
