"""The objects under a URL, read and written by name through obstore; its errors in one line.

Every store that obstore knows shows an object whole or not at all: an upload that is cut short
leaves nothing to be seen.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tasks.cache.atomic import atomic_path
from tasks.errors import InputError, StoreError
from tasks.remote.mirror import url_of

if TYPE_CHECKING:
    from obstore import UpdateVersion

_SECONDS_TO_CONNECT = 5
_SECONDS_OF_SILENCE = 30  # of a store in the middle of an answer
_SECONDS_OF_RETRIES = 10
_RETRIES = 3


class LostRace(Exception):  # noqa: N818  # not an error: its catcher begins again
    """An object is not as it was when it was read: another process has replaced it."""


class _OtherContent(Exception):  # noqa: N818  # never leaves this module
    pass


def is_plain(name: str) -> bool:
    """Whether a name from elsewhere, or each of its parts, names something in a folder: no way out.

    Whoever can write to the store decides what is in a listing, a record or a manifest.
    """
    return "\0" not in name and not {"", ".", ".."} & set(name.split("/"))


class Version(NamedTuple):
    """One state of an object, as its store tells it from others."""

    e_tag: str | None
    version: str | None


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
        try:
            import obstore
            from obstore.store import from_url
        except ModuleNotFoundError as error:
            raise InputError(
                f"{url}: for artifacts on a URL the package obstore is not installed. Install the "
                "extra, in the project's folder: .venv/bin/python -m pip install -e '.[shared]'"
            ) from error
        self.url = url
        self._obstore = obstore
        with self._explained():
            self._store = from_url(
                url,
                client_options={
                    "allow_http": True,  # where the environment names such an endpoint
                    "connect_timeout": timedelta(seconds=_SECONDS_TO_CONNECT),
                    "read_timeout": timedelta(seconds=_SECONDS_OF_SILENCE),
                    "timeout": timedelta(days=1),  # of one request: a large file takes its time
                },
                retry_config={
                    "max_retries": _RETRIES,
                    "retry_timeout": timedelta(seconds=_SECONDS_OF_RETRIES),
                },
            )

    def folders(self, name: str) -> set[str]:
        """Return the names of the folders in a folder."""
        with self._explained():
            listed = self._obstore.list_with_delimiter(self._store, f"{name}/")
        paths = (path.rpartition("/")[2] for path in listed["common_prefixes"])
        return set(filter(is_plain, paths))

    def under(self, name: str) -> list[Listed]:
        """Return all objects in a folder and in its folders, but those whose names lead out."""
        with self._explained():
            pages = [*self._obstore.list(self._store, f"{name}/")]
        return [
            Listed(each["path"], each["size"], each["last_modified"].timestamp())
            for page in pages
            for each in page
            if is_plain(each["path"])
        ]

    def read(self, name: str) -> tuple[bytes, Version] | None:
        """Return a small object and its version; None if there is none."""
        with self._explained():
            try:
                found = self._obstore.get(self._store, name)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None
            version = Version(found.meta.get("e_tag"), found.meta.get("version"))
            return found.bytes().to_bytes(), version

    def size(self, name: str) -> int | None:
        """Return an object's size in bytes; None if there is none."""
        with self._explained():
            try:
                return self._obstore.head(self._store, name)["size"]
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None

    def sha256(self, name: str) -> str | None:
        """Return the SHA-256 of an object, which is downloaded for that; None if there is none."""
        digest = hashlib.sha256()
        with self._explained():
            try:
                for part in self._obstore.get(self._store, name):
                    digest.update(part)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None
        return digest.hexdigest()

    def download(self, name: str, target: Path, sha256: str | None = None) -> bool:
        """Write an object to a file, whole or not at all, with the object's time.

        Args:
            name: the object's.
            target: the file; its folder is made if it is missing.
            sha256: what its content must have; None takes any.

        Returns:
            Whether there is such an object, with that content.
        """
        with self._explained():
            try:
                found = self._obstore.get(self._store, name)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return False
            try:
                with atomic_path(target) as new:
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
        with self._explained():
            self._obstore.put(self._store, name, path)

    def replace(self, name: str, content: bytes, before: Version | None) -> None:
        """Write an object only if it is still as it was read: compare and swap.

        Args:
            name: the object's.
            content: what it is to hold.
            before: the version that was read; None if there was no such object.

        Raises:
            LostRace: it is another version now.
        """
        errors = self._obstore.exceptions
        known: UpdateVersion = {}
        if before and before.e_tag is not None:
            known["e_tag"] = before.e_tag
        if before and before.version is not None:
            known["version"] = before.version
        with self._explained():
            try:
                self._obstore.put(self._store, name, content, mode=known if before else "create")
            except (errors.AlreadyExistsError, errors.PreconditionError, FileNotFoundError):
                # The first answer may have been lost on its way, and the request sent again.
                found = self.read(name)
                if found is None or found[0] != content:
                    raise LostRace(f"{self.url}/{name}") from None

    def copy(self, name: str, to: str) -> bool:
        """Copy an object inside the store; return whether there is such an object."""
        with self._explained():
            try:
                self._obstore.copy(self._store, name, to)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return False
        return True

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are not there count as deleted."""
        with self._explained():
            if names:
                self._obstore.delete(self._store, names)

    def _check_bucket(self, error: FileNotFoundError) -> None:
        """Raise if not only an object is not there, but its bucket too."""
        if "NoSuchBucket" in str(error):
            raise StoreError(_in_a_line(self.url, error)) from error

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except self._obstore.exceptions.BaseError as error:
            raise StoreError(_in_a_line(self.url, error)) from error


def objects_of(artifacts: Path) -> Objects | None:
    """Return the objects that an artifacts folder mirrors; None for a folder of its own."""
    url = url_of(artifacts)
    return _open(url) if url else None


@cache
def _open(url: str) -> Objects:
    return Objects(url)


def _in_a_line(url: str, error: Exception) -> str:
    """Return what went wrong and what to do, without obstore's many lines on where."""
    text = str(error)
    code = re.search(r"<Code>(\w+)</Code>", text)
    if "NoSuchBucket" in text:
        return f"{url}: there is no such bucket. Create it, or name another URL with `artifacts`."
    if "169.254.169.254" in text or "redential" in text:  # where machines in a cloud ask for some
        return (
            f"{url}: no credentials. Set them in the environment, such as AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        )
    if code:
        return f"{url}: the store refuses: {code[1]}. Check the credentials and what they allow."
    if "HTTP error" in text:
        return (
            f"{url}: the store can't be reached. Check the network and, for a store other than "
            "Amazon's, AWS_ENDPOINT_URL. Finished stages are kept here: start again later."
        )
    return f"{url}: {text.splitlines()[0]}"
