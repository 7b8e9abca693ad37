"""`digits prune`: old runs deleted, with the stored files that no other run needs."""

from itertools import groupby
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.options import Artifacts, Json, out
from tasks.prune import prune as prune_artifacts


def prune(
    *,
    keep: Annotated[
        int, Parameter(validator=Number(gte=1), help="How many of the newest runs to keep.")
    ],
    dry_run: Annotated[
        bool, Parameter(negative="", help="Delete nothing, only show what would be deleted.")
    ] = False,
    artifacts: Artifacts = Path("artifacts"),
    json: Json = False,
) -> None:
    """Delete all runs but the newest and the champion, with the files that only they needed."""
    pruned = prune_artifacts(artifacts, keep, dry_run=dry_run)
    if json:
        print(pruned.model_dump_json())
        return
    for reason, removals in groupby(pruned.removed, key=lambda removal: removal.reason):
        out.print(f"{reason}:", style="bold")
        for removal in removals:
            out.print(f"  {removal.path} ({removal.bytes:,} bytes)")
    done = "would be freed; nothing was deleted" if dry_run else "freed"
    out.print(f"{pruned.bytes:,} bytes {done}; {len(pruned.kept):,} runs kept")
