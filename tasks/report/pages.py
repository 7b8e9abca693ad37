"""The HTML pages and SVG charts that are made from templates."""

from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.digits.classes import image_noun

TEMPLATES = FileSystemLoader(Path(__file__).with_name("templates"))


def percent(share: float) -> str:
    """Write a share with one decimal; more where it would round to a perfect one that it isn't."""
    decimals = 3 if 0.9995 <= share < 1 else 1
    return f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%"


def date(moment: datetime) -> str:
    """Write a date and its time of day."""
    return f"{moment.day} {moment:%b %Y, %H:%M}"


pages = Environment(loader=TEMPLATES, undefined=StrictUndefined, autoescape=True)
pages.filters |= {
    "image_noun": image_noun,
    "count": lambda number: f"{number:,}",
    "date": date,
    "percent": percent,
    "link": lambda run: f"runs/{quote(run, errors='surrogateescape')}/report.html",
}
