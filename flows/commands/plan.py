"""`digits plan`: what a run would do, and why, without doing it."""

import json as json_format
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from flows.options import Json, Refresh, out, with_refresh
from flows.server.environment import configure_prefect
from flows.settings import Settings


def plan(
    *,
    settings: Annotated[Settings, Parameter(name="*")] = Settings(),
    refresh: Refresh = None,
    json: Json = False,
) -> None:
    """Show for every stage whether it would run, and why; takes the options of `digits train`."""
    configure_prefect()
    from flows.stages import stages
    from tasks.runs.plan import Plan

    settings = with_refresh(settings, refresh)
    foreseen = Plan(settings.artifacts, settings.refresh)
    stages(foreseen, settings)
    if json:
        print(json_format.dumps({"stages": [each.model_dump() for each in foreseen.stages]}))
        return
    table = Table("stage", "state", "why")
    for each in foreseen.stages:
        table.add_row(each.stage, each.state, each.reason)
    out.print(table)
