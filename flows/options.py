"""What the commands share: options that mean the same everywhere, and where results are printed."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

Artifacts = Annotated[Path, Parameter(help="Where runs are kept.")]
Json = Annotated[
    bool, Parameter(negative="", help="Print one JSON object on stdout, nothing else.")
]
RunName = Annotated[str, Parameter(help="A run's name or its beginning, `latest` or `champion`.")]

out = Console(highlight=False, soft_wrap=True)
