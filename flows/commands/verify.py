"""`digits verify`: is a run still what was published, and does it read as well as it says?"""

import sys
from pathlib import Path

from flows.options import Artifacts, Json, RunName, out
from tasks.cache.store import Store
from tasks.runs.folders import find_run
from tasks.verify import verify as verify_run


def verify(run: RunName, *, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """Recompute every digest of a run, and its accuracy from the weights and the test split.

    The exit code is 1 if anything is not as it was published; each difference is told in a line.
    """
    result = verify_run(find_run(artifacts, run), Store(folder=artifacts))
    if json:
        print(result.model_dump_json())
    else:
        for each in result.problems:
            # A file's name may hold anything; as a Python string it stays on its line.
            name = each.file if each.file.isprintable() else ascii(each.file)
            out.print(f"{name}: {each.problem}", markup=False)
        count = len(result.problems)
        differences = "1 difference" if count == 1 else f"{count or 'no'} differences"
        accuracy = (
            "accuracy not recomputed"
            if result.accuracy is None
            else f"{result.accuracy:.1%} of {result.test_rows:,} test images read right"
        )
        out.print(
            f"{result.run}: {differences}; {result.files} files of the run and "
            f"{result.stored_files} of the store checked, {accuracy}",
            markup=False,
        )
    if result.problems:
        sys.exit(1)
