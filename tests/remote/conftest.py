"""An object store for the tests of artifacts on a URL, and two homes that share nothing else."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from examples.object_store import make_bucket, object_store

_numbers = count()


@pytest.fixture(scope="session")
def store_environment() -> Iterator[dict[str, str]]:
    """Yield the environment variables with which the session's object store is used."""
    with object_store() as environment:
        yield environment


@pytest.fixture
def url(store_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of empty artifacts, to be used here from a home of the test's own."""
    for name, value in store_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    bucket = f"digits-{next(_numbers)}"
    make_bucket(store_environment["AWS_ENDPOINT_URL"], bucket)
    return f"s3://{bucket}/team"
