"""The two files of a report: its markdown, and the page that any browser opens."""

from pathlib import Path

from tasks.cache.atomic import atomic_path
from tasks.report.markdown import html
from tasks.report.pages import pages


def write_report_files(folder: Path, text: str, title: str) -> None:
    """Write report.md and report.html.

    Args:
        folder: where to; what the text shows of figures is there already.
        text: the report in markdown.
        title: of the page.
    """
    body, sections = html(text, folder)
    page = pages.get_template("report.html.jinja").render(title=title, body=body, sections=sections)
    for name, content in (("report.md", text), ("report.html", page)):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
