"""`digits show`: one run, what it did and why."""

import json as json_format
from pathlib import Path

from flows.options import Artifacts, Json, RunName, out
from flows.tables import run_on_terminal
from tasks.run_folders import MANIFEST, find_run, read_json


def show(run: RunName, *, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """Show one run: what it did and why, how well it reads, and where its files are."""
    folder = find_run(artifacts, run)
    manifest, metrics = read_json(folder / MANIFEST), read_json(folder / "metrics.json")
    if json:
        print(json_format.dumps({"manifest": manifest, "metrics": metrics}))
        return
    out.print(run_on_terminal(folder, manifest, metrics))
