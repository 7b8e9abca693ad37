"""The charts that show a run next to earlier ones; every run draws them again.

They are SVG made from templates: drawing them with matplotlib would cost a run in which nothing is
new more than all the rest of it.
"""

from collections.abc import Sequence
from pathlib import Path

from tasks.cache.atomic import atomic_path
from tasks.digits.profile import Profile
from tasks.report.accuracy_chart import accuracy_chart
from tasks.report.data_chart import data_chart
from tasks.report.figure_style import OF_A_FILE
from tasks.report.pages import pages
from tasks.runs.past_runs import PastRun


def draw_run(
    folder: Path,
    *,
    runs: Sequence[PastRun],
    champion: str | None,
    profile: Profile,
    before: Profile | None,
) -> None:
    """Draw a run's accuracy next to earlier ones, and its data next to the champion's.

    Args:
        folder: where `accuracy.svg` and `data.svg` go.
        runs: the runs before this one and, last, this one.
        champion: the run in use before it.
        profile: of the data.
        before: of the champion's data.
    """
    names = counted_names(len(runs))
    charts = {
        "accuracy": accuracy_chart(runs, champion, names, names),
        "data": data_chart(profile, before),
    }
    for name, chart in charts.items():
        template = pages.get_template(f"{name}.svg.jinja")
        with atomic_path(folder / f"{name}.svg") as new:
            new.write_text(template.render(chart=chart, colours=OF_A_FILE), encoding="utf-8")


def counted_names(number: int) -> list[str]:
    """Return what the newest runs are called in a report, oldest first.

    Counted, not dated: equal runs after equal histories leave equal bytes.
    """
    earlier = [f"\N{MINUS SIGN}{back}" for back in range(number - 1, 0, -1)]
    return [*earlier, "this run"]
