"""Nested settings by their dotted names."""

from collections.abc import Iterator, Mapping
from typing import Any


def flat_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting by its dotted name, such as `training.l2`."""
    return dict(_flat(settings, ""))


def _flat(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
