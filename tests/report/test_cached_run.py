"""What a run costs in which nothing is new."""

import json
import os
import subprocess
import sys

from examples.digits import PROJECT

from flows.settings import Settings

SCRIPT = """
import json, sys
from flows.cli import main
try:
    main()
finally:
    loaded = {"pandas", "matplotlib"} & set(sys.modules)
    print(json.dumps(sorted(loaded)))
"""


def test_a_cached_run_imports_neither_pandas_nor_matplotlib(
    settings: Settings, server: str
) -> None:
    """They take longer to import than all of a run takes that reuses every stage's result."""
    words = ["train", "--csv", str(settings.csv), "--artifacts", str(settings.artifacts)]
    words += ["--recipe", "classic", "--epochs", "5", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PREFECT_API_URL": server},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    published, loaded = map(json.loads, done.stdout.splitlines())
    assert set(published["stages"].values()) == {"cached"}
    assert loaded == []
    assert {path.name for path in (settings.artifacts / "latest" / "figures").iterdir()} >= {
        *("accuracy.svg", "data.svg")
    }
