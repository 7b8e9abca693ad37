"""Which folder stands for a URL, and which URL for a folder."""

from pathlib import Path

import pytest

from flows.settings import Settings
from tasks.errors import InputError
from tasks.remote.mirror import artifacts_folder, shown, url_of


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("S3://bucket/a/b.c-d=e/", "s3://bucket/a/b.c-d=e"),
        ("gs://bucket/prefix", "gs://bucket/prefix"),
        (Path("az://container/prefix"), "az://container/prefix"),  # a Path has lost a slash
    ],
)
def test_a_mirror_and_its_url_name_each_other(given: Path | str, url: str) -> None:
    """One folder a URL, however it is written; messages show the URL."""
    mirror = artifacts_folder(given)
    assert url_of(mirror) == shown(mirror) == url
    assert artifacts_folder(mirror) == mirror
    assert shown(mirror / "runs" / "one") == f"{url}/runs/one"


@pytest.mark.parametrize("given", ["artifacts", "/tmp/s3%3A%2F%2Fb", "a:b/c", "s3%3A%2F%2Fb"])
def test_any_other_folder_is_itself(given: str) -> None:
    """What is no URL is a folder of its own."""
    folder = artifacts_folder(given)
    assert (folder, url_of(folder), shown(folder)) == (Path(given), None, given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("ftp://host/x", "begins with s3://, gs:// or az://"),
        ("file:///tmp/x", "kept in a folder"),
        ("s3://", "not a URL of artifacts"),
        ("s3://bucket//x", "not a URL of artifacts"),
        ("s3://bucket/../x", "not a URL of artifacts"),
        ("s3://bucket/x?y=z", "not a URL of artifacts"),
        ("s3://bucket/" + "x" * 250, "too long"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(given: str, reason: str) -> None:
    """Before anything is connected to."""
    with pytest.raises(InputError, match=reason):
        artifacts_folder(given)


def test_a_password_is_not_repeated() -> None:
    """An error's text goes into logs."""
    with pytest.raises(InputError, match="leave keys and passwords") as raised:
        artifacts_folder("s3://key:secret@bucket/x")
    assert "secret" not in str(raised.value)


def test_settings_work_on_the_mirror_and_write_down_the_url() -> None:
    """A manifest, a command to copy and a deployment's parameters hold what was given."""
    settings = Settings.model_validate({"artifacts": "s3://bucket/prefix"})
    assert settings.artifacts == artifacts_folder("s3://bucket/prefix")
    assert settings.model_dump(mode="json")["artifacts"] == "s3://bucket/prefix"
    assert Settings.model_validate(settings.model_dump()) == settings
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
    assert Settings().model_dump(mode="json")["artifacts"] == "artifacts"
