"""`digits rollback`: back to the champion before."""

from pathlib import Path

from flows.options import Artifacts, Json, out
from tasks.promote import roll_back


def rollback(*, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """Make the previous champion the champion again; once more to go further back."""
    moved = roll_back(artifacts)
    if json:
        print(moved.model_dump_json())
        return
    for run, reason in moved.skipped.items():
        out.print(f"skipped {run}: {reason}")
    out.print(
        f"{moved.run} is the champion again, in place of {moved.replaced}; "
        f"its test accuracy is {moved.accuracy:.1%}"
    )
