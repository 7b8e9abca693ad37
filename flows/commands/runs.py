"""`digits runs`: all runs as a table."""

import json as json_format
from pathlib import Path

from flows.options import Artifacts, Json, out
from flows.terminal import runs_table
from tasks.champion.promotions import Promotions
from tasks.remote.mirror import shown
from tasks.runs.past_runs import all_runs
from tasks.runs.shared_runs import update_runs


def runs(*, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """List all complete runs, newest first; damaged ones with the reason."""
    update_runs(artifacts)
    found = list(all_runs(artifacts))
    promotions = Promotions(artifacts)
    if json:
        champion = promotions.champion
        described = [{**r.model_dump(mode="json"), "champion": r.run == champion} for r in found]
        print(json_format.dumps(described))
    elif found:
        out.print(runs_table(found, promotions.champion))
    else:
        out.print(f"No complete run in {shown(artifacts)} yet. Start one with: digits train")
    if promotions.damage and not json:
        out.print(f"{promotions.damage}. Choose a champion with: digits promote RUN")
