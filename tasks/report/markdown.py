"""Markdown whose values can't become markup, and markdown to HTML with its pictures inside.

Nothing here knows what a report says.
"""

import base64
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
_MARKUP = re.compile(r"[\\`*_\[\]<>|~#&!$]")
_PLAIN = re.compile(r"[\w ./:+-]+", re.ASCII)


class Markdown(str):
    """Text that is markdown already and must not be escaped again."""


def escaped(value: object) -> Markdown:
    """Return a value as text for a paragraph, a heading or a table's cell.

    Line breaks and other invisible characters are shown by their escape codes.
    """
    if isinstance(value, Markdown):
        return value
    visible = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in str(value)
    )
    return Markdown(_MARKUP.sub(r"\\\g<0>", visible))


def code(value: object) -> Markdown:
    """Return a plain name, path or number as code, and anything else as escaped text.

    Prefect's page obeys HTML inside code, where markdown has no way to escape it.
    """
    return Markdown(f"`{value}`") if _PLAIN.fullmatch(str(value)) else escaped(value)


def data_url(picture: Path) -> str:
    """Return a picture as a URL that holds it.

    Raises:
        KeyError: neither .png nor .svg.
    """
    encoded = base64.b64encode(picture.read_bytes()).decode()
    return f"data:{_MEDIA_TYPES[picture.suffix]};base64,{encoded}"


class _PageRenderer(RendererHTML):
    """CommonMark's HTML with pictures inside it, and with tables that scroll on a narrow screen.

    `env["folder"]` is the folder that pictures are relative to.
    """

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        source = Path(str(tokens[idx].attrs["src"]))
        tokens[idx].attrs["src"] = data_url(env["folder"] / source)
        return (
            f'<span class="picture {source.stem}">{super().image(tokens, idx, options, env)}</span>'
        )

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return '<div class="table"><table>\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return "</table></div>\n"


def html(markdown: str, folder: Path) -> tuple[str, dict[str, str]]:
    """Render markdown as HTML with every picture inside it.

    Args:
        markdown: CommonMark with tables. HTML in it is shown, not obeyed.
        folder: what the pictures' links are relative to.

    Returns:
        The HTML, and the title of each second-level heading by its id.
    """
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_PageRenderer).enable("table")
    tokens = parser.parse(markdown)
    sections = {}
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open" and opening.tag == "h2":
            anchor = re.sub(r"\W+", "-", content.content.lower())
            opening.attrSet("id", anchor)
            sections[anchor] = content.content
    return parser.renderer.render(tokens, parser.options, {"folder": folder}), sections
