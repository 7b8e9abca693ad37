"""The objects under a URL, read and written by the names of files in an artifacts folder.

Every store that obstore knows shows an object whole or not at all: an upload that is cut short
leaves nothing to be seen.
"""

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tasks.cache.atomic import atomic_path
from tasks.remote.connection import connect, explained, if_there
from tasks.remote.mirror import url_of

if TYPE_CHECKING:
    from obstore import GetResult


class _OtherContent(Exception):  # noqa: N818  # never leaves this module
    pass


def is_plain(name: str) -> bool:
    """Whether a name from elsewhere, or each of its parts, names something in a folder: no way out.

    A listing, a record or a manifest is as those write it who can write to the store.
    """
    return "\0" not in name and not {"", ".", ".."} & set(name.split("/"))


class Listed(NamedTuple):
    """An object in a listing."""

    name: str
    bytes: int
    modified: float  # seconds since 1970


class Objects:
    """The objects under a URL, by the names that files have in an artifacts folder.

    Every method raises StoreError if the store can't be reached or refuses.

    Args:
        url: such as s3://bucket/prefix.

    Raises:
        InputError: obstore is not installed; it is an extra.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = connect(url)

    def folders(self, name: str) -> set[str]:
        """Return the names of the folders in a folder."""
        with explained(self.url):
            listed = self.store.list_with_delimiter(f"{name}/")
        paths = (path.rpartition("/")[2] for path in listed["common_prefixes"])
        return set(filter(is_plain, paths))

    def under(self, name: str) -> list[Listed]:
        """Return all objects in a folder and in its folders, but those whose names lead out."""
        with explained(self.url):
            pages = [*self.store.list(f"{name}/")]
        return [
            Listed(each["path"], each["size"], each["last_modified"].timestamp())
            for page in pages
            for each in page
            if is_plain(each["path"])
        ]

    def size(self, name: str) -> int | None:
        """Return an object's size in bytes; None if there is none."""
        with if_there(self.url):
            return self.store.head(name)["size"]
        return None

    def sha256(self, name: str) -> str | None:
        """Return the SHA-256 of an object, which is downloaded for that; None if there is none."""
        with if_there(self.url):
            digest = hashlib.sha256()
            for part in self.store.get(name):
                digest.update(part)
            return digest.hexdigest()
        return None

    def download(self, name: str, target: Path, sha256: str | None = None) -> bool:
        """Write an object to a file, whole or not at all, with the object's time.

        Args:
            name: the object's.
            target: the file; its folder is made if it is missing.
            sha256: what its content must have; None takes any.

        Returns:
            Whether there is such an object, with that content.
        """
        found: GetResult | None = None
        with if_there(self.url):
            found = self.store.get(name)
        if found is None:
            return False
        try:
            with explained(self.url), atomic_path(target) as new:
                digest = hashlib.sha256()
                with new.open("wb") as file:
                    for part in found:
                        digest.update(part)
                        file.write(part)
                if sha256 not in (None, digest.hexdigest()):
                    raise _OtherContent  # so that the target stays as it is
                modified = found.meta["last_modified"].timestamp()
                os.utime(new, (modified, modified))
        except _OtherContent:
            return False
        return True

    def upload(self, path: Path, name: str) -> None:
        """Write a file to an object, which another of that name gives way to."""
        with explained(self.url):
            self.store.put(name, path)

    def copy(self, name: str, to: str) -> bool:
        """Copy an object inside the store; return whether there is such an object."""
        with if_there(self.url):
            self.store.copy(name, to)
            return True
        return False

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are not there count as deleted."""
        with explained(self.url):
            if names:
                self.store.delete(names)


def objects_of(artifacts: Path) -> Objects | None:
    """Return the objects that an artifacts folder mirrors; None for a folder of its own."""
    url = url_of(artifacts)
    return _open(url) if url else None


@cache
def _open(url: str) -> Objects:
    return Objects(url)
