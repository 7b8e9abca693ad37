"""What a run may say about its process in the work pool of the deployments: nothing.

Prefect's own template has places for a command and for environment variables, which anyone who
starts a run may fill in. Where there is no such place, the server refuses them and the worker
ignores them.
"""

from pathlib import Path
from typing import Any


def job_template(folder: Path) -> dict[str, Any]:
    """Return the base job template of a pool whose runs all start in one folder.

    Args:
        folder: where runs start; deployments may name it as `working_dir`, and no other.
    """
    working_dir = {
        "type": "string",
        "title": "Working directory",
        "description": "The folder that runs start in; no other is allowed.",
        "default": str(folder),
        "enum": [str(folder)],
    }
    return {
        "variables": {
            "type": "object",
            "properties": {"working_dir": working_dir},
            "additionalProperties": False,
        },
        "job_configuration": {"working_dir": str(folder)},
    }
