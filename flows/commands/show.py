"""`digits show`: one run, what it did and why."""

import json as json_format
import webbrowser
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.options import Artifacts, Json, RunName, out
from flows.terminal import run_details
from tasks.errors import InputError
from tasks.runs.find_run import find_run
from tasks.runs.folders import MANIFEST, METRICS, read_json


def show(
    run: RunName,
    /,
    *,
    open: Annotated[bool, Parameter(negative="", help="Open its report in the browser.")] = False,
    artifacts: Artifacts = Path("artifacts"),
    json: Json = False,
) -> None:
    """Show one run: its accuracy, what each stage did and why, its settings and its report."""
    folder = find_run(artifacts, run)
    manifest, metrics = read_json(folder / MANIFEST), read_json(folder / METRICS)
    if json:
        print(json_format.dumps({"manifest": manifest, "metrics": metrics}))
    else:
        try:
            out.print(run_details(folder, manifest, metrics))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{folder}: manifest.json or metrics.json is damaged ({type(error).__name__}: "
                f"{error}). What is wrong is listed by: digits verify {run}"
            ) from error
    report = folder / "report.html"
    if open and not webbrowser.open(report.resolve().as_uri()):
        raise InputError(f"no browser could be started here. Open the report yourself: {report}")
