"""`index.html` in the artifacts folder: every complete run, newest first, and its accuracy."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tasks.cache.atomic import atomic_path
from tasks.remote.objects import objects_of
from tasks.report.accuracy_chart import accuracy_chart
from tasks.report.figure_style import OF_A_PAGE
from tasks.report.pages import date, pages
from tasks.runs.past_runs import DamagedRun, PastRun, whole

INDEX = "index.html"


def write_index(
    artifacts: Path, found: Iterable[PastRun | DamagedRun], champion: str | None
) -> None:
    """Write the page, whole or not at all; to be called inside `open_promotions`.

    Args:
        artifacts: the artifacts folder.
        found: all its runs, newest first.
        champion: the run in use, which is marked.
    """
    found = list(found)
    runs = whole(found)
    page = pages.get_template("index.html.jinja").render(
        runs=runs,
        damaged=[run for run in found if isinstance(run, DamagedRun)],
        champion=next((run for run in runs if run.run == champion), None),
        chart=_chart(runs[::-1], champion) if len(runs) > 1 else None,
        colours=OF_A_PAGE,
    )
    with atomic_path(artifacts / INDEX) as new:
        # A run's name may hold what a folder's can and UTF-8 can't.
        new.write_text(page, encoding="utf-8", errors="backslashreplace")
    if objects := objects_of(artifacts):
        objects.upload(artifacts / INDEX, INDEX)


def _chart(runs: Sequence[PastRun], champion: str | None) -> dict[str, Any]:
    """Lay out the accuracy of all runs, oldest first, with the dates of the first and the last."""
    between = [""] * (len(runs) - 2)
    dates = [date(runs[0].started), *between, date(runs[-1].started)]
    return accuracy_chart(runs, champion, [run.run for run in runs], dates)
