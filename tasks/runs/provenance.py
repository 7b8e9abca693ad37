"""Where a run came from: the code, its packages and the machine, as they were."""

import hashlib
import json
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from typing import Any

from tasks.cache.sources import PROJECT, digests_of_everything

_PACKAGES = ("numpy", "pandas", "pyarrow", "prefect", "pydantic", "matplotlib", "threadpoolctl")


# Once a process, as with the source files: what runs is what was imported.
@cache
def provenance() -> dict[str, Any]:
    """Return code digest, git commit (null outside a checkout), package versions and platform."""
    code = digests_of_everything()
    return {
        "code_sha256": hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest(),
        "git": _git(),
        "packages": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def _git() -> dict[str, Any] | None:
    if not (PROJECT / ".git").exists():  # installed, perhaps in an environment in a checkout
        return None

    def ask(*words: str) -> str:
        command = ["git", "-C", str(PROJECT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None
