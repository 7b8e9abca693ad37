"""The markdown texts that are made from templates, and how they write values."""

from collections.abc import Callable, Mapping
from datetime import datetime

from jinja2 import Environment, StrictUndefined

from tasks.report.markdown import Markdown, code, escaped
from tasks.report.pages import TEMPLATES, percent
from tasks.runs.flat_settings import setting


def _duration(seconds: float) -> Markdown:
    if seconds < 60:
        return Markdown(f"{seconds:.{2 if seconds < 1 else 1}f}\N{NO-BREAK SPACE}s")
    minutes, rest = divmod(round(seconds), 60)
    return Markdown(f"{minutes}\N{NO-BREAK SPACE}min {rest}\N{NO-BREAK SPACE}s")


def _p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _date(moment: str) -> str:
    then = datetime.fromisoformat(moment)
    return f"{then.day} {then:%B %Y, %H:%M} UTC"


def _files(digests: Mapping[str, str]) -> Markdown:
    return Markdown(
        ", ".join(f"{escaped(name)} {code(sha256[:12])}" for name, sha256 in digests.items())
    )


_FILTERS: dict[str, Callable[..., str]] = {
    "code": code,
    "count": lambda number: f"{number:,}",
    "date": _date,
    "duration": _duration,
    "files": _files,
    "p_value": _p_value,
    "index": lambda index: f"{index:.3f}",
    "number": lambda number: f"{number:.3g}",
    "setting": setting,
    "percent": lambda share: Markdown(percent(share)),  # its space would be shown by its code
    "share": lambda share: "none" if share is None else Markdown(percent(share)),
}
texts = Environment(
    loader=TEMPLATES,
    undefined=StrictUndefined,
    finalize=escaped,  # every value is escaped unless it is markdown already
    keep_trailing_newline=True,
)
texts.filters.update(_FILTERS)
