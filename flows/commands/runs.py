"""`digits runs`: what has been run, as a table."""

from pathlib import Path

from flows.options import Artifacts, Json, out
from flows.tables import runs_on_terminal, runs_table


def runs(*, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """List the complete runs, newest first."""
    table = runs_table(artifacts)
    if json:
        print(table.to_json(orient="records"))
    elif table.empty:
        out.print(f"No complete run in {artifacts} yet. Start one with: digits train")
    else:
        out.print(runs_on_terminal(table))
