"""`digits export`: a run's network as a file that other tools read."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.options import Artifacts, Json, RunName, out
from tasks.export import ExportFormat, export_run
from tasks.runs.find_run import find_run


def export(
    run: RunName = "champion",
    /,
    *,
    format: Annotated[ExportFormat, Parameter(help="What kind of file.")],
    output: Annotated[
        Path | None,
        Parameter(help="The file to write; by default one named after the run, in `exports`."),
    ] = None,
    artifacts: Artifacts = Path("artifacts"),
    json: Json = False,
) -> None:
    """Write a run's network as one file for other tools; a file that exists is replaced."""
    exported = export_run(find_run(artifacts, run), format, output)
    if json:
        print(exported.model_dump_json())
    else:
        out.print(f"{exported.run} as {exported.format}: {exported.path}")
