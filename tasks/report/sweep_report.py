"""A sweep's report: its picture, and one text for report.md, report.html and Prefect's page.

What it says is in `templates/sweep.md.jinja`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.report.figure_style import OF_A_FILE
from tasks.report.markdown import Markdown, escaped
from tasks.report.pages import pages, percent
from tasks.report.report_files import write_report_files
from tasks.report.sweep_chart import BEST, axes_of, dot_chart, heat_map, varied
from tasks.report.texts import texts
from tasks.runs.flat_settings import flat_settings, setting

_PICTURE = "figures/sweep.svg"


def write_sweep_report(
    folder: Path, account: Mapping[str, Any], results: Sequence[Mapping[str, Any]]
) -> str:
    """Write a sweep's figures/sweep.svg, report.md and report.html; return it for Prefect.

    Args:
        folder: the sweep's folder, which nobody reads yet.
        account: what is in its sweep.json.
        results: one a point, best first, at least one with an accuracy; those that diverged last.

    Returns:
        The same report without its picture, which Prefect's page does not show; a table is there
        in place of a heat map.
    """
    grid = account["settings"]["grid"]
    axes = axes_of(grid)
    description = _described(results, grid, axes)
    chart = heat_map(results, grid, axes) if axes else dot_chart(results, grid)
    template = pages.get_template("heat_map.svg.jinja" if axes else "dots.svg.jinja")
    (folder / "figures").mkdir()
    picture = template.render(chart=chart, description=description, colours=OF_A_FILE)
    (folder / _PICTURE).write_text(picture, encoding="utf-8")
    cells = _cells(results, grid, axes) if axes else []
    link = Markdown(f"![{escaped(description)}]({_PICTURE})")
    text = _filled_in(account, results, cells, link)
    title = f"{percent(results[0]['validation_accuracy'])}, {account['sweep']}"
    write_report_files(folder, text, title)
    return _filled_in(account, results, cells, link=None)


def _filled_in(
    account: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    cells: Sequence[Sequence[str]],
    link: Markdown | None,
) -> str:
    """Fill in the template, with a table of cells in place of the picture where it has no link."""
    best, grid = results[0], account["settings"]["grid"]
    return texts.get_template("sweep.md.jinja").render(
        account=account,
        best=best,
        results=results[:BEST],
        points=len(results),
        like_best=_like_the_best(results),
        diverged=[_named(one, grid) for one in results if one["validation_accuracy"] is None],
        most=BEST,
        patience=best.get("patience", account["settings"]["training"]["patience"]),
        names=list(grid),
        best_point=_named(best, grid),
        picture=link,
        cells=cells,
        settings={
            name: setting(value)
            for name, value in flat_settings(
                {n: value for n, value in account["settings"].items() if n != "grid"}
            ).items()
            if name.removeprefix("training.") not in grid
        },
        command=Markdown(account["command"]),
    )


def _cells(
    results: Sequence[Mapping[str, Any]], grid: Mapping[str, Sequence[Any]], axes: tuple[str, str]
) -> list[list[str]]:
    """Return a heat map's accuracies as the rows of a table, the values of both settings first."""
    accuracies = {
        tuple(setting(one[name]) for name in axes): one["validation_accuracy"] for one in results
    }
    rows, columns = ([setting(value) for value in grid[name]] for name in axes)
    written = {
        point: Markdown("diverged" if accuracy is None else percent(accuracy))
        for point, accuracy in accuracies.items()
    }
    head = [f"{axes[0]} ↓, {axes[1]} →", *columns]
    return [head, *([row, *(written.get((row, each), "") for each in columns)] for row in rows)]


def _named(point: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {setting(point[name])}" for name in names)


def _like_the_best(results: Sequence[Mapping[str, Any]]) -> int:
    """Count the other points whose 95 % interval holds the best accuracy."""
    best = results[0]["validation_accuracy"]
    return sum((one["interval_high"] or 0.0) >= best for one in results[1:])


def _described(
    results: Sequence[Mapping[str, Any]],
    grid: Mapping[str, Sequence[Any]],
    axes: tuple[str, str] | None,
) -> str:
    """Describe the picture to those who do not see it."""
    accuracy = percent(results[0]["validation_accuracy"]).replace("\N{NO-BREAK SPACE}", " ")
    best = f"best {accuracy} at {_named(results[0], grid)}."
    if axes:
        return f"Heat map of the held-out accuracy by {axes[0]} and {axes[1]}; {best}"
    names = ", ".join(varied(grid))
    return f"Dot chart of the best held-out accuracies by {names}, with 95 % intervals; {best}"
