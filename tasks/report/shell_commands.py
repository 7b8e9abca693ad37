"""The commands that repeat a run and use its network, for a person to copy from its report."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any


def commands(manifest: Mapping[str, Any], champion: str | None) -> str:
    """Return shell commands that train the same again, look at the run, and use its network.

    They hold no backtick, `<` or `&`, whatever the settings, so they can stand in a block of code.

    Args:
        manifest: the run's.
        champion: the run that it was compared with; None where there was none.
    """
    artifacts = manifest["settings"].get("artifacts", "artifacts")
    where = f" --artifacts {_quoted(artifacts)}" if artifacts != "artifacts" else ""
    run, other = _quoted(manifest["run"]), _quoted(champion or "champion")
    return "\n".join(
        [
            train_command({**manifest["settings"], **_as_found(manifest)}),
            f"digits show {run}{where} --open",
            f"digits compare {other} {run}{where}",
            f"digits verify {run}{where}",
            f"digits promote {run}{where}",
            f"digits rollback{where}",
            f"digits predict FILE.csv --run {run}{where}",
        ]
    )


def _as_found(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the initial weights by their path: the champion of then need not be that of today."""
    initial = manifest.get("initial_weights")
    return {"initial_weights": initial["path"]} if initial else {}


def train_command(settings: Mapping[str, Any]) -> str:
    """Return the shell command that trains on these settings, on several lines."""
    return " \\\n    ".join(["digits train", *_options(settings)])


def _options(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield every setting as an option of `digits train`, defaults included: they may change."""
    for name, value in settings.items():
        if name in ("refresh", "workers", "dask"):
            continue  # says how one run went about it, not what came out
        option = name.replace("_", "-")
        match value:
            case Mapping():
                yield from _options(value)
            case bool():
                yield f"--{option}" if value else f"--no-{option}"
            case list() | tuple():
                values = " ".join(_quoted(str(item)) for item in value)
                yield f"--{option} {values}" if values else f"--empty-{option}"
            case None | "":
                continue
            case _:
                yield f"--{option} {_quoted(str(value))}"


def _quoted(word: str) -> str:
    """Quote a word for the shell, so that it also holds no line break, markup or backtick."""
    if word.isprintable() and not re.search("[<>&`]", word):
        return shlex.quote(word)
    codes = "".join(
        character if re.fullmatch("[A-Za-z0-9 ./_-]", character) else f"\\x{byte:02x}"
        for character in word
        for byte in os.fsencode(character)
    )
    return f"$'{codes}'"
