"""Prefect's engine for one run of a deployment: `python -m examples.engine`; figures are dots."""

import os
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path

from examples.digits import PROJECT
from examples.real_runs import draw_dots, start_forked, wait_for_end


def run_deployed(flow_run: str, environment: Mapping[str, str]) -> None:
    """Run one run of a deployment to its end as a worker does, in a process with its imports done.

    Args:
        flow_run: its id.
        environment: all environment variables of the worker.
    """
    nowhere = Path(os.devnull)
    given = {**environment, "PREFECT__FLOW_RUN_ID": flow_run}
    wait_for_end(start_forked(main, PROJECT, given, (nowhere, nowhere)), f"run {flow_run}")


def main() -> None:
    """Run the run that the environment names, as a worker has it."""
    draw_dots()
    del sys.argv[1:]  # a forked process has those of the tests
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
