"""`digits verify`: whether a run is still what was published, and as accurate as it states."""

import sys
from pathlib import Path

from flows.options import Artifacts, Json, RunName, out
from tasks.cache.store import Store
from tasks.runs.find_run import find_run
from tasks.runs.shared_runs import fresh_copy
from tasks.verify import verify as verify_run


def verify(
    run: RunName, /, *, artifacts: Artifacts = Path("artifacts"), json: Json = False
) -> None:
    """Recompute every digest of a run, and its accuracy from the weights and the test split.

    Prints each difference from what was published in a line; the exit code is 1 if there is any.
    """
    folder = find_run(artifacts, run)
    with fresh_copy(artifacts, folder.name) as copy:
        result = verify_run(copy / "runs" / folder.name, Store(folder=copy))
    if json:
        print(result.model_dump_json())
    else:
        for each in result.problems:
            # A file's name may hold line breaks; as a Python string it stays on its line.
            name = each.file if each.file.isprintable() else ascii(each.file)
            out.print(f"{name}: {each.problem}")
        count = len(result.problems)
        differences = "1 difference" if count == 1 else f"{count or 'no'} differences"
        accuracy = (
            "accuracy not recomputed"
            if result.accuracy is None
            else f"{result.accuracy:.1%} of {result.test_rows:,} test images recognised"
        )
        out.print(
            f"{result.run}: {differences}; {result.files} files of the run and "
            f"{result.stored_files} of the store checked, {accuracy}"
        )
    if result.problems:
        sys.exit(1)
