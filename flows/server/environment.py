"""How Prefect is set up before a command runs a flow in its own process."""

import logging
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from network.gradient_descent import DivergenceError
from network.weights import WeightsError
from tasks.errors import InputError


def configure_prefect() -> None:
    """Use the project's prefect.toml from any working directory, below the environment's own."""
    path = Path(__file__).resolve().parents[2] / "prefect.toml"
    if path.exists():
        for name, value in _flat(tomllib.loads(path.read_text(encoding="utf-8"))):
            os.environ.setdefault(f"PREFECT_{name.upper()}", str(value))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}", value


def hide_own_tracebacks() -> None:
    """Keep the engine's tracebacks of our own clear errors off the terminal, not out of Prefect."""

    def worth_showing(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(
            error, InputError | WeightsError | DivergenceError | MemoryError | OSError
        )

    for handler in logging.getLogger().handlers:
        handler.addFilter(worth_showing)
