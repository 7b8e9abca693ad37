"""The folder that stands for artifacts on a URL: a mirror of what was needed of them here.

All that reads and writes artifacts works on the mirror's plain files. Its name is the URL, so each
can be worked out from the other. Deleting a mirror loses nothing but checkpoints.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from tasks.errors import InputError

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)  # a Path keeps one slash of two
_SCHEMES = ("s3", "gs", "az")
_LONGEST = 255  # bytes of a file's name


def artifacts_folder(given: Path | str) -> Path:
    """Return the folder to work in: the one that is given, or the mirror of a URL.

    Raises:
        InputError: it is a URL that can't be used.
    """
    found = _URL.fullmatch(str(given))
    if not found:
        return Path(given)
    scheme, place = found[1].lower(), found[2].rstrip("/")
    url = f"{scheme}://{place}"
    if scheme not in _SCHEMES:
        raise InputError(
            f"{url}: artifacts are kept in a folder, or on a URL that begins with s3://, gs:// or "
            "az://."
        )
    if not re.fullmatch(r"[\w.-]+(/(?!\.\.?(/|$))[\w.=+,-]+)*", place, re.ASCII):
        where = f"{scheme}://…" if "@" in place else url  # a password is not repeated
        raise InputError(
            f"{where}: not a URL of artifacts. Write {scheme}://bucket/prefix in letters, digits "
            "and any of . - _ = + , and leave keys and passwords to the environment."
        )
    name = quote(url, safe="")
    if len(name) > _LONGEST:
        raise InputError(f"{url}: too long. Take a shorter prefix.")
    return _mirrors() / name


def url_of(artifacts: Path) -> str | None:
    """Return the URL that an artifacts folder mirrors; None if it is a folder of its own."""
    if artifacts.parent != _mirrors() or not _URL.fullmatch(unquote(artifacts.name)):
        return None
    return unquote(artifacts.name)


def shown(path: Path) -> str:
    """Return how artifacts, or a file of theirs, are named in a message: by the URL they are on."""
    mirrors = _mirrors()
    if not path.is_relative_to(mirrors) or path == mirrors:
        return str(path)
    name, *rest = path.relative_to(mirrors).parts
    url = url_of(mirrors / name)
    return "/".join([url, *rest]) if url else str(path)


def _mirrors() -> Path:
    """Return the folder of all mirrors: in the user's cache, as the XDG specification places it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # Without links, as a folder's path is where it is handed to another process.
    return (cache if cache.is_absolute() else Path.home() / ".cache").resolve() / "digits"
