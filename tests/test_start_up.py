"""What a command imports: Prefect, pandas and matplotlib only where they are used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from examples.digits import PROJECT, write_small_csv

SCRIPT = """
import sys
from flows.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code in (0, 2)
print(*sorted({"prefect", "pandas", "matplotlib", "scipy"} & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "command",
    ["plan --csv small.csv", "runs", "show latest", "rollback", "promote latest", "--help"],
)
def test_a_command_that_only_looks_starts_at_once(command: str, tmp_path: Path) -> None:
    """Prefect takes two seconds to import, pandas and matplotlib nearly one each."""
    write_small_csv(tmp_path / "small.csv")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == ""
