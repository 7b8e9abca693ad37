"""`digits runs`: the complete runs as a table."""

import json as json_format
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.options import Artifacts, Json, out
from flows.terminal import runs_table
from tasks.runs.folders import MANIFEST, champion_name, complete_runs, read_json


def runs(*, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """List the complete runs, newest first."""
    found = list(_described(artifacts))
    if json:
        print(json_format.dumps(found))
    elif found:
        out.print(runs_table(found))
    else:
        out.print(f"No complete run in {artifacts} yet. Start one with: digits train", markup=False)


def _described(artifacts: Path) -> Iterator[dict[str, Any]]:
    champion = champion_name(artifacts)
    for folder in complete_runs(artifacts):
        manifest, metrics = read_json(folder / MANIFEST), read_json(folder / "metrics.json")
        yield {
            "run": folder.name,
            "accuracy": metrics["accuracy"],
            "verdict": manifest["verdict"],
            "champion": folder.name == champion,
            "ran": [n for n, stage in manifest["stages"].items() if stage["state"] == "ran"],
            "stages": len(manifest["stages"]),
            "seconds": manifest["seconds"],
            "csv": manifest["source"]["path"],
            "train_rows": metrics["train_rows"],
            "test_rows": metrics["test_rows"],
        }
