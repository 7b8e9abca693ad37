"""`digits sweep`: a grid of training settings, the best first."""

from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from flows.before_server import check_before_server
from flows.options import Json, out
from flows.server.ready_prefect import ready_prefect
from flows.sweep_settings import SweepSettings


def sweep(
    *, settings: Annotated[SweepSettings, Parameter(name="*")] = SweepSettings(), json: Json = False
) -> None:
    """Train the combinations of a grid of settings and rank them by held-out training digits."""
    check_before_server(settings, (training for _, training in settings.points()))
    with ready_prefect():
        from flows.sweep import sweep as sweep_flow

    swept = sweep_flow(settings)
    if json:
        print(swept.model_dump_json())
        return
    names = (name.replace("_", " ") for name in settings.grid)
    table = Table(*names, "accuracy", "95 % interval", "cost", "epochs trained")
    for result in swept.results:
        point = [str(result[name]) for name in settings.grid]
        if result["validation_accuracy"] is None:
            table.add_row(*point, "diverged")
            continue
        table.add_row(
            *point,
            f"{result['validation_accuracy']:.1%}",
            f"{result['interval_low']:.1%} to {result['interval_high']:.1%}",
            f"{result['validation_cost']:.4f}",
            str(result["epochs_trained"]),
        )
    out.print(table)
    out.print(
        f"Accuracy and cost on {swept.held_out_rows:,} held-out digits of the training split."
    )
    out.print(f"Report: {swept.directory / 'report.html'}")
    out.print(f"Table: {swept.directory / 'results.csv'}")
    out.print(f"Train the best on all of the training split:\n\n{swept.command}\n")
