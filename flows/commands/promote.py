"""`digits promote`: a run put in use by hand."""

from pathlib import Path

from flows.options import Artifacts, Json, RunName, out
from tasks.champion.promotions import promote as promote_run


def promote(run: RunName, *, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """Put a run in use by hand, whatever it was judged to be."""
    moved = promote_run(artifacts, run)
    if json:
        print(moved.model_dump_json(exclude={"skipped"}))
        return
    place = f", in place of {moved.replaced}" if moved.replaced else ""
    out.print(f"{moved.run} is in use{place}; it read {moved.accuracy:.1%} of its test digits")
