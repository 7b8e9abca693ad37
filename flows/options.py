"""What the commands share: options that mean the same everywhere, and where results are printed."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token
from rich.console import Console

from flows.settings import STAGES, Settings, StageName
from flows.shipped import DIGITS, shipped
from tasks.remote.mirror import artifacts_folder


def _folder(type_: Any, tokens: Sequence[Token]) -> Path:
    return artifacts_folder(tokens[0].value)


Artifacts = Annotated[
    Path, Parameter(help="Where runs are kept: a folder, or a URL.", converter=_folder)
]
Json = Annotated[
    bool, Parameter(negative="", help="Print one JSON object on stdout and nothing else.")
]
RunName = Annotated[str, Parameter(help="A run's name or its beginning, `latest` or `champion`.")]

Refresh = Annotated[
    tuple[StageName, ...] | None,
    Parameter(
        consume_multiple=True,
        negative="",
        help="Stages to run again even if nothing changed; without a name, all.",
    ),
]


def with_refresh(settings: Settings, refresh: tuple[StageName, ...] | None) -> Settings:
    """Return the settings with the stages of `--refresh`: none where it is not given."""
    if refresh is None:
        return settings
    return settings.model_copy(update={"refresh": refresh or STAGES})


def say_whose_digits(csv: Path) -> None:
    """Say on stderr that no CSV was named or found, and that the shipped digits are used."""
    if csv == shipped(DIGITS):
        print(f"No {DIGITS} here: these are the digits that come with digits.", file=sys.stderr)


out = Console(highlight=False, soft_wrap=True, markup=False)  # names may hold brackets
