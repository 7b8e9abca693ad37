"""Nested settings by their dotted names, and their values as a person reads them."""

from collections.abc import Iterator, Mapping
from typing import Any


def flat_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return every setting by its dotted name, such as `training.l2`."""
    return dict(_flat(settings, ""))


def setting(value: Any) -> str:
    """Write a setting's value as a command has it."""
    match value:
        case list() | tuple():
            return " ".join(map(str, value)) or "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return "none" if value in (None, "") else str(value)


def _flat(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
