"""A run's report: one text for report.md, report.html and Prefect's page.

What it says is in `templates/report.md.jinja`; escaping and HTML are in `markdown`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.digits.classes import image_noun, label_noun
from tasks.report.figure_style import NUMBERED
from tasks.report.markdown import Markdown, data_url, escaped
from tasks.report.pages import percent
from tasks.report.report_files import write_report_files
from tasks.report.shell_commands import commands
from tasks.report.texts import texts
from tasks.runs.flat_settings import flat_settings, setting
from tasks.runs.past_runs import PastRun

_FIGURES = {
    "accuracy": "figures/accuracy.svg",
    "cost": "figures/cost.svg",
    "confusion": "figures/confusion.svg",
    "predictions": "figures/predictions.png",
    "mistakes": "figures/mistakes.png",
    "data": "figures/data.svg",
    "variants": "figures/variants.png",
    "weights": "figures/weights.png",
}
_ARTIFACT_SIZE = 190_000  # characters; Prefect's lists hold every artifact in full


def write_report(
    folder: Path, manifest: Mapping[str, Any], metrics: Mapping[str, Any], runs: Sequence[PastRun]
) -> str:
    """Write a run's report.md and report.html, and return the report for Prefect.

    Args:
        folder: the run's folder, its figures already in `figures/`.
        manifest: the run's manifest.json.
        metrics: its metrics.json.
        runs: those of the chart of accuracies, oldest first.

    Returns:
        The same report under 200 kB with its pictures inside the text, and a table where report.md
        has a chart that is only there as SVG, which Prefect's page does not show.
    """
    text = _filled_in(manifest, metrics, runs, _FIGURES)
    write_report_files(folder, text, f"{percent(metrics['accuracy'])}, {manifest['run']}")
    return _filled_in(manifest, metrics, runs, _inlined(folder, _ARTIFACT_SIZE - len(text)))


def _inlined(folder: Path, room: int) -> dict[str, str]:
    """Return the figures that are PNG too inside their links, as far as there is room for them."""
    links = {}
    for name, path in _FIGURES.items():
        picture = (folder / path).with_suffix(".png")
        if not picture.exists():  # a chart, or the distortions of a run without any
            continue
        link = data_url(picture)
        if len(link) <= room:
            links[name] = link
            room -= len(link)
    return links


def _filled_in(
    manifest: Mapping[str, Any],
    metrics: Mapping[str, Any],
    runs: Sequence[PastRun],
    links: Mapping[str, str],
) -> str:
    """Fill in the template; a figure without a link is named instead of shown."""

    def figure(name: str, description: str) -> Markdown:
        if name in links:
            return Markdown(f"![{escaped(description)}]({links[name]})")
        return Markdown(f"*{description}* It is too large for this page: see {_FIGURES[name]}.")

    matrix = np.asarray(metrics["confusion_matrix"])
    return texts.get_template("report.md.jinja").render(
        manifest=manifest,
        metrics=metrics,
        numbered=len(matrix) <= NUMBERED,
        image=image_noun(metrics["classes"]),
        label=label_noun(metrics["classes"]),
        figure=figure,
        links=links,
        runs=runs,
        mistakes=int(matrix.sum() - np.trace(matrix)),
        confusions=list(_worst_confusions(matrix, metrics["classes"])),
        settings={n: setting(value) for n, value in flat_settings(manifest["settings"]).items()},
        distortion=manifest["settings"]["training"].get("distortion"),
        commands=Markdown(commands(manifest, (metrics["champion"] or {}).get("run"))),
    )


def _worst_confusions(matrix: np.ndarray, classes: Sequence[int], most: int = 3) -> Iterator[str]:
    """Describe the commonest confusions, the commonest first."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    for place in np.argsort(-wrong, axis=None, kind="stable")[:most]:
        true, predicted = divmod(int(place), len(matrix))
        if times := int(wrong[true, predicted]):
            words = f"{classes[true]} predicted as {classes[predicted]}"
            yield f"{words} ({times} {'time' if times == 1 else 'times'})"
