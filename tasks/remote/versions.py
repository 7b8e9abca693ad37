"""An object that several machines change, such as the champion's: compare and swap.

It is read with its version, and replaced only if it still has that version.
"""

from typing import TYPE_CHECKING, NamedTuple

from tasks.remote.connection import explained, if_there
from tasks.remote.objects import Objects

if TYPE_CHECKING:
    from obstore import UpdateVersion


class LostRace(Exception):  # noqa: N818  # not an error: its catcher begins again
    """An object is not as it was when it was read: another process has replaced it."""


class Version(NamedTuple):
    """One state of an object, as its store names it."""

    e_tag: str | None
    version: str | None


def read(objects: Objects, name: str) -> tuple[bytes, Version] | None:
    """Return a small object and its version; None if there is none.

    Raises:
        StoreError: the store can't be reached or refuses.
    """
    with if_there(objects.url):
        found = objects.store.get(name)
        version = Version(found.meta.get("e_tag"), found.meta.get("version"))
        return found.bytes().to_bytes(), version
    return None


def replace(objects: Objects, name: str, content: bytes, before: Version | None) -> None:
    """Write an object only if it is still as it was read.

    Args:
        objects: where it is.
        name: its name.
        content: what it is to hold.
        before: the version that was read; None if there was no such object.

    Raises:
        LostRace: it is another version now.
        StoreError: the store can't be reached or refuses.
    """
    from obstore.exceptions import AlreadyExistsError, PreconditionError  # an extra

    known: UpdateVersion = {}
    if before and before.e_tag is not None:
        known["e_tag"] = before.e_tag
    if before and before.version is not None:
        known["version"] = before.version
    with explained(objects.url):
        try:
            objects.store.put(name, content, mode=known if before else "create")
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            # The first answer may have been lost on its way, and the request sent again.
            found = read(objects, name)
            if found is None or found[0] != content:
                raise LostRace(f"{objects.url}/{name}") from None
