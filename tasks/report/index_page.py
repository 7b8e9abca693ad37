"""`index.html` in the artifacts folder: every complete run, newest first, and its accuracy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.cache.atomic import atomic_path
from tasks.digits.classes import image_noun
from tasks.runs.past_runs import DamagedRun, PastRun, all_runs

_WIDTH, _HEIGHT = 640, 270  # of the chart, in its own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 14, 16, 36  # its margins
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25)  # between lines of the grid
_TICKS = 5  # about so many lines


def write_index(artifacts: Path, champion: str | None) -> None:
    """Write the page, whole or not at all; to be called inside `open_promotions`.

    Args:
        artifacts: the artifacts folder.
        champion: the run in use, which is marked.
    """
    found = list(all_runs(artifacts))
    runs = [run for run in found if isinstance(run, PastRun)]
    page = _pages.get_template("index.html.jinja").render(
        runs=runs,
        damaged=[run for run in found if isinstance(run, DamagedRun)],
        champion=next((run for run in runs if run.run == champion), None),
        chart=_chart(runs[::-1], champion) if len(runs) > 1 else None,
    )
    with atomic_path(artifacts / "index.html") as new:
        # A run's name may hold what a folder's can and UTF-8 can't.
        new.write_text(page, encoding="utf-8", errors="backslashreplace")


def _chart(runs: Sequence[PastRun], champion: str | None) -> dict[str, Any]:
    """Return where everything of the chart lies, oldest run first, evenly spaced.

    Evenly, because runs come in bursts: by the clock, a month of them would hide behind an evening.
    """
    low = min(run.accuracy_interval[0] for run in runs)
    high = max(run.accuracy_interval[1] for run in runs)
    step = next((step for step in _STEPS if (high - low) / step <= _TICKS), _STEPS[-1])
    low = step * int(low / step)

    def x(place: int) -> float:
        return round(_LEFT + place * (_WIDTH - _LEFT - _RIGHT) / (len(runs) - 1), 1)

    def y(share: float) -> float:
        room = _HEIGHT - _TOP - _BOTTOM
        return round(_TOP + (high - share) / ((high - low) or 1) * room, 1)

    points = [
        {"x": x(place), "y": y(run.accuracy), "run": run, "champion": run.run == champion}
        for place, run in enumerate(runs)
    ]
    upper = [f"{x(place)},{y(run.accuracy_interval[1])}" for place, run in enumerate(runs)]
    lower = [f"{x(place)},{y(run.accuracy_interval[0])}" for place, run in enumerate(runs)]
    ticks = [low + step * number for number in range(int((high - low) / step + 1e-9) + 1)]
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "points": points,
        "line": " ".join(f"{point['x']},{point['y']}" for point in points),
        "band": " ".join(upper + lower[::-1]),
        "ticks": [{"y": y(tick), "text": f"{100 * tick:.3g}"} for tick in ticks],
    }


def _date(run: PastRun) -> str:
    return f"{run.started.day} {run.started:%b %Y, %H:%M}"


_pages = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    undefined=StrictUndefined,
    autoescape=True,
)
_pages.filters |= {
    "image_noun": image_noun,
    "count": lambda number: f"{number:,}",
    "date": _date,
    "percent": lambda share: (
        f"{100 * share:.{3 if 0.9995 <= share < 1 else 1}f}\N{NO-BREAK SPACE}%"
    ),
    "link": lambda run: f"runs/{quote(run, errors='surrogateescape')}/report.html",
}
