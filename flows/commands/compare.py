"""`digits compare`: two runs side by side."""

from pathlib import Path

from flows.options import Artifacts, Json, RunName, out
from flows.terminal import comparison_details
from tasks.cache.store import Store
from tasks.compare import compare as compare_runs
from tasks.runs.find_run import find_run


def compare(
    a: RunName,
    b: RunName,
    /,
    *,
    artifacts: Artifacts = Path("artifacts"),
    json: Json = False,
) -> None:
    """Compare two runs: settings, data, code, metrics, and the test digits that changed sides."""
    comparison = compare_runs(
        find_run(artifacts, a), find_run(artifacts, b), Store(folder=artifacts)
    )
    if json:
        print(comparison.model_dump_json())
        return
    out.print(comparison_details(comparison))
