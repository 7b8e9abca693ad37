"""What a command imports: Prefect, pandas, matplotlib, obstore only where they are used."""

import gc
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples.digits import PROJECT, easy_digits, write_digits, write_small_csv
from examples.runs import write_network

from flows.imports import without_collector
from network.initialization import initial_weights

SCRIPT = """
import sys
from flows.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code in (0, 2)
slow = {"prefect", "pandas", "matplotlib", "scipy", "obstore"}
print(*sorted(slow & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    ["plan --csv small.csv", "runs", "show latest", "rollback", "promote latest", "--help"],
)
def test_a_command_that_only_looks_starts_at_once(command: str, tmp_path: Path) -> None:
    """Prefect takes two seconds to import, pandas and matplotlib nearly one each."""
    write_small_csv(tmp_path / "small.csv")
    assert imported_by(command.split(), tmp_path) == ""


def test_a_prediction_starts_at_once(tmp_path: Path) -> None:
    """Tables of every layout are read and predictions written without pandas."""
    run = tmp_path / "artifacts" / "runs" / "only"
    run.mkdir(parents=True)
    write_network(run, initial_weights((64, 10), np.random.default_rng(0)))
    (run / "manifest.json").write_text('{"settings": {"data": {}}}')
    write_small_csv(tmp_path / "small.csv")
    digits = easy_digits(20)
    write_digits(digits, tmp_path / "ours.parquet")
    columns = {f"p{number}": column for number, column in enumerate(digits.pixels.T)}
    pq.write_table(pa.table({**columns, "label": digits.labels}), tmp_path / "columns.parquet")
    files = [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert len(files) == 3
    assert imported_by(["predict", *files, "--run", "latest"], tmp_path) == ""
    assert (tmp_path / "artifacts" / "predictions" / "only.csv").exists()


def test_the_collector_works_again_after_imports() -> None:
    """What was there before is never looked at again; what comes after is."""
    before = gc.get_freeze_count()
    try:
        with without_collector():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()


def imported_by(words: Sequence[str], folder: Path) -> str:
    """Return which of the slow libraries a command imported."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()[-1]
