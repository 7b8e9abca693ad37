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
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

SECONDS_TO_START = 180
SECONDS_TO_EXPLAIN = 8  # until a line says what is being waited for


def start_in_background() -> Callable[[], None]:
    """Start a server where none is configured; it ends with this process, however that ends.

    To be called before Prefect is imported, which reads its settings then.

    Returns:
        What to call when the server is needed: waits until it answers, and raises RuntimeError
        if it never does.
    """
    if _is_configured():
        return lambda: None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    # The schedules of deployments are not this command's to keep.
    words += ["--no-scheduler", "--no-late-runs", "--log-level", "ERROR"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.server.keeper", sys.executable, "-m", "prefect", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the server
    )
    # Registered before Prefect's own exit functions, so that it runs after them: they use it.
    atexit.register(_stop, process)
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    os.environ.setdefault("PREFECT_UI_URL", "")  # or the log names a page that is not there
    return lambda: _wait_for(process, port)


def _is_configured() -> bool:
    """Return whether Prefect's settings name an API somewhere, or forbid a temporary server."""
    allowed = os.environ.get("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true").lower()
    return (
        "PREFECT_API_URL" in os.environ
        or allowed in ("false", "0", "no", "off", "f", "n")
        or any(_names_an_api(settings) for settings in _settings_files())
    )


def _settings_files() -> Iterator[dict[str, Any]]:
    """Yield what Prefect would read: the active profile, and files of the working directory."""
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    profiles = _toml(Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml")))
    active = os.environ.get("PREFECT_PROFILE", profiles.get("active"))
    yield profiles.get("profiles", {}).get(active, {})
    yield _toml(Path("prefect.toml"))
    yield _toml(Path("pyproject.toml")).get("tool", {}).get("prefect", {})
    if Path(".env").exists():
        lines = Path(".env").read_text(encoding="utf-8", errors="replace").splitlines()
        yield {line.removeprefix("export ").split("=")[0].strip(): line for line in lines}


def _toml(path: Path) -> dict[str, Any]:
    # What can't be read is left for Prefect to report.
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _names_an_api(settings: dict[str, Any]) -> bool:
    return "PREFECT_API_URL" in settings or "url" in settings.get("api", {})


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
    raise RuntimeError(
        f"the temporary Prefect server {what}. Its messages are above; `prefect server start` "
        "shows more of them."
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.communicate()  # closes its standard input, on which the keeper ends the server
