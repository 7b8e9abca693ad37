"""What the wheel brings besides code, and where `flows/shipped.py` finds it there."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("data/digits.csv", "data/README.md", "prefect.toml", "prefect.yaml", "automations")


class ShippedFiles(BuildHookInterface[Any]):
    """Adds those files to a wheel; an editable install uses the checkout's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say what is copied where; hatchling calls this before it builds."""
        if version != "editable":
            build_data["force_include"] |= {name: f"flows/shipped_files/{name}" for name in SHIPPED}
