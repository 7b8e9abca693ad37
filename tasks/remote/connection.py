"""The connection to an object store through obstore: its limits of time, and its errors in a line.

obstore is an extra, so it is imported only where artifacts are on a URL.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from tasks.errors import InputError, StoreError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_SECONDS_TO_CONNECT = 5
_SECONDS_OF_SILENCE = 30  # of a store in the middle of an answer
_SECONDS_OF_RETRIES = 10
_RETRIES = 3


def connect(url: str) -> "ObjectStore":
    """Return the object store of a URL; nothing is asked of it yet.

    Raises:
        InputError: obstore is not installed.
        StoreError: obstore can't use the URL.
    """
    try:
        from obstore import store
    except ModuleNotFoundError as error:
        raise InputError(
            f"{url}: for artifacts on a URL the package obstore is not installed. Install the "
            "extra, in the project's folder: .venv/bin/python -m pip install -e '.[shared]'"
        ) from error
    with explained(url):
        return store.from_url(
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


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Raise what goes wrong in the store as StoreError; FileNotFoundError if an object is missing.

    A missing bucket is a StoreError too, although obstore calls both missing.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise StoreError(_in_a_line(url, error)) from error
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise StoreError(_in_a_line(url, error)) from error
        raise


@contextmanager
def if_there(url: str) -> Iterator[None]:
    """Leave the block where an object turns out to be missing; other errors as in `explained`."""
    with suppress(FileNotFoundError), explained(url):
        yield


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
