"""How Prefect is set up before a command runs a flow in its own process."""

import logging
import os
import tomllib

from flows.shipped import shipped
from tasks.errors import FINAL
from tasks.runs.flat_settings import flat_settings


def configure_prefect() -> None:
    """Use the project's prefect.toml from any working directory, below the environment's own."""
    path = shipped("prefect.toml")
    if path.exists():
        settings = flat_settings(tomllib.loads(path.read_text(encoding="utf-8")))
        for name, value in settings.items():
            os.environ.setdefault(f"PREFECT_{name.replace('.', '_').upper()}", str(value))


def hide_own_tracebacks() -> None:
    """Keep the engine's tracebacks of our own clear errors off the terminal, not out of Prefect."""

    def worth_showing(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, (*FINAL, OSError))

    for handler in logging.getLogger().handlers:
        handler.addFilter(worth_showing)
