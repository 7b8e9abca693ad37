"""The figures that show a run next to earlier ones; every run draws them again."""

from collections.abc import Sequence
from pathlib import Path

from tasks.digits.profile import Profile
from tasks.report.accuracy_chart import accuracy_chart
from tasks.report.data_chart import data_chart
from tasks.report.figure_style import figure_style
from tasks.report.network_figures import save_figures
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
        folder: where accuracy and data go, each as .png and .svg.
        runs: the runs before this one and, last, this one.
        champion: the run in use before it.
        profile: of the data.
        before: of the champion's data.
    """
    with figure_style():
        charts = {
            "accuracy": accuracy_chart(runs, champion),
            "data": data_chart(profile, before),
        }
        save_figures(folder, charts, {})
