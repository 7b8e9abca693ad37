"""`digits train`: the retraining flow, run here."""

from typing import TYPE_CHECKING, Annotated, cast

from cyclopts import Parameter

from flows.before_server import check_before_server
from flows.options import Json, Refresh, out, with_refresh
from flows.server.ready_prefect import ready_prefect
from flows.settings import Settings
from tasks.digits.classes import image_noun
from tasks.runs.folders import MANIFEST, METRICS, read_json

if TYPE_CHECKING:
    from tasks.publish import Published


def train(
    *,
    settings: Annotated[Settings, Parameter(name="*")] = Settings(),
    refresh: Refresh = None,
    json: Json = False,
) -> None:
    """Run the retraining flow here; stages whose inputs did not change come from the cache."""
    check_before_server(settings, [settings.training])
    with ready_prefect():
        from flows.retrain import retrain

    # Typed as the flow's state; Prefect returns what it holds.
    published = cast(
        "Published", retrain(with_refresh(settings, refresh), return_state=True).result()
    )
    if json:
        print(published.model_dump_json())
        return
    low, high = read_json(published.directory / METRICS)["accuracy_interval"]
    reason = read_json(published.directory / MANIFEST)["verdict_reason"]
    out.print(
        f"{published.accuracy:.1%} of {published.test_rows:,} test "
        f"{image_noun(settings.data.classes)}s recognised (95 % interval {low:.1%} to {high:.1%})"
    )
    out.print(f"{published.verdict.capitalize()}, because {reason}")
    out.print(f"Report: {published.directory / 'report.html'}")
