"""`digits rollback`: back to the run that was in use before."""

from pathlib import Path

from flows.options import Artifacts, Json, out
from tasks.champion.promotions import roll_back


def rollback(*, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """Put the run in use that was before the champion; again to go further back."""
    moved = roll_back(artifacts)
    if json:
        print(moved.model_dump_json())
        return
    for run, reason in moved.skipped.items():
        out.print(f"passed over {run}: {reason}", markup=False)
    out.print(
        f"{moved.run} is in use again, in place of {moved.replaced}; "
        f"it read {moved.accuracy:.1%} of its test digits"
    )
