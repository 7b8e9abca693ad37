"""`digits promote`: a run made the champion by hand."""

from pathlib import Path

from flows.options import Artifacts, Json, RunName, out
from tasks.promote import promote as promote_run


def promote(
    run: RunName, /, *, artifacts: Artifacts = Path("artifacts"), json: Json = False
) -> None:
    """Make a run the champion, whatever its verdict was."""
    moved = promote_run(artifacts, run)
    if json:
        print(moved.model_dump_json(exclude={"skipped"}))
        return
    place = f", in place of {moved.replaced}" if moved.replaced else ""
    out.print(f"{moved.run} is the champion{place}; its test accuracy is {moved.accuracy:.1%}")
