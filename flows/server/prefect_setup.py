"""What is asked of Prefect's set-up before Prefect is imported: its API and its folder."""

import os
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.server.errors import ServerError


def api_is_configured() -> bool:
    """Return whether Prefect's settings name an API somewhere, or forbid a temporary server."""
    allowed = os.environ.get("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true").lower()
    return (
        "PREFECT_API_URL" in os.environ
        or allowed in ("false", "0", "no", "off", "f", "n")
        or any(_names_an_api(settings) for settings in _settings_files())
    )


def _settings_files() -> Iterator[dict[str, Any]]:
    """Yield what Prefect would read: the active profile, and files of the working directory."""
    profiles = _toml(Path(os.environ.get("PREFECT_PROFILES_PATH", _home() / "profiles.toml")))
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


def _home() -> Path:
    """Return the folder of Prefect's own files: its database and profiles."""
    return Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()


def check_home() -> None:
    """Raise ServerError if Prefect's folder can't be written to."""
    home = _home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise ServerError(
            f"{home}: Prefect's folder can't be written to: {error.strerror}. Name another with "
            "the environment variable PREFECT_HOME."
        ) from error
