"""Single objects, folders of them, and the champion's: written whole, once, and one at a time."""

import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from examples.digits import PROJECT

from tasks.cache.store import Store
from tasks.champion.promotions import Promotions, begins_again
from tasks.errors import InputError, StoreError
from tasks.remote import versions
from tasks.remote.folders import (
    complete_folder,
    download_files,
    update_folders,
    upload_folder,
)
from tasks.remote.mirror import artifacts_folder
from tasks.remote.objects import Objects, is_plain, objects_of
from tasks.remote.results import download_stored
from tasks.remote.versions import LostRace

FILES = ("first.json", "last.json")


@pytest.fixture
def objects(url: str) -> Objects:
    """Return the objects of the test's own URL."""
    return Objects(url)


def test_an_object_is_replaced_only_as_it_was_read(objects: Objects) -> None:
    """The second writer, with a version that is gone or with none, loses."""
    versions.replace(objects, "a", b"1", None)
    with pytest.raises(LostRace):
        versions.replace(objects, "a", b"2", None)
    content, version = versions.read(objects, "a") or (b"", None)
    assert content == b"1"
    versions.replace(objects, "a", b"3", version)
    with pytest.raises(LostRace):
        versions.replace(objects, "a", b"4", version)
    objects.delete(["a"])
    with pytest.raises(LostRace):
        versions.replace(objects, "a", b"5", version)
    assert versions.read(objects, "a") is None


def test_a_write_that_was_sent_twice_has_not_lost_to_itself(objects: Objects) -> None:
    """The answer to the first may be lost on its way; then the client asks again."""
    versions.replace(objects, "a", b"1", None)
    versions.replace(objects, "a", b"1", None)


def test_what_is_downloaded_is_what_was_asked_for(objects: Objects, tmp_path: Path) -> None:
    """Other content than the digest says leaves the file that was there."""
    target = tmp_path / "folder" / "file"
    versions.replace(objects, "a", b"1", None)
    assert objects.download("a", target)
    assert target.read_bytes() == b"1"
    assert not objects.download("a", target, sha256="0" * 64)
    assert not objects.download("b", target)
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_eight_promotions_at_once_are_all_kept(url: str) -> None:
    """Compare and swap: those that are too late begin again."""
    artifacts = artifacts_folder(url)
    start = threading.Barrier(8)

    def promote(run: str) -> None:
        start.wait()
        add(run)

    @begins_again
    def add(run: str) -> None:
        Promotions(artifacts).add(run, 0.9, "hand")  # without the lock, as from eight machines

    threads = [threading.Thread(target=promote, args=(f"run-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    promotions = Promotions(artifacts)
    assert sorted(entry.run for entry in promotions.entries) == [f"run-{n}" for n in range(8)]
    assert promotions.champion == promotions.entries[-1].run


def test_a_damaged_champion_is_put_aside_in_the_store(objects: Objects, url: str) -> None:
    """As it is in a folder: the next promotion begins a new history."""
    versions.replace(objects, "champion.json", b"{", None)
    promotions = Promotions(artifacts_folder(url))
    assert promotions.damage == f"{url}/champion.json is damaged"
    promotions.add("run", 0.9, "run")
    assert versions.read(objects, "champion.json.damaged")[0] == b"{"  # type: ignore[index]
    assert Promotions(artifacts_folder(url)).champion == "run"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a//b", ".", "a/../../b", "", "a\0b"])
def test_a_name_from_elsewhere_leads_nowhere_else(name: str, url: str, tmp_path: Path) -> None:
    """A manifest or a record says what is downloaded, not where to."""
    artifacts = artifacts_folder(url)
    assert not is_plain(name)
    download_files(artifacts, "runs/one", {name: ""})
    download_stored(Store(folder=artifacts), name, "")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_folder_of_the_same_name_is_not_overwritten(url: str, tmp_path: Path) -> None:
    """As one on a disk is not."""
    artifacts = artifacts_folder(url)
    versions.replace(Objects(url), f"runs/one/{FILES[-1]}", b"another machine's", None)
    write_folder(artifacts)
    with pytest.raises(FileExistsError, match="team/runs/one: is there already"):
        upload_folder(artifacts, "runs/one", FILES[-1])


def write_folder(artifacts: Path) -> None:
    """Write a complete folder."""
    folder = artifacts / "runs" / "one"
    folder.mkdir(parents=True)
    for name in (*FILES, "large"):
        (folder / name).write_bytes(b"x" * (12_000_000 if name == "large" else 2))


def known(artifacts: Path) -> list[str]:
    """Return the complete folders that a mirror knows, brought up to date."""
    update_folders(artifacts, "runs", FILES)
    return [path.parent.name for path in artifacts.glob(f"runs/*/{FILES[-1]}")]


def test_a_folder_is_seen_when_it_is_complete_and_gone_when_it_is_deleted(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two homes, no shared disk."""
    here = artifacts_folder(url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    there = artifacts_folder(url)
    assert here != there

    def at(home: str) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / home))

    at("home")
    write_folder(here)
    upload_folder(here, "runs/one", FILES[-1])
    at("other")
    assert known(there) == []
    at("home")
    complete_folder(here, "runs/one", FILES[-1])
    complete_folder(here, "runs/one", FILES[-1])  # once more is no harm
    at("other")
    assert known(there) == ["one"]
    objects = objects_of(there)
    assert objects
    assert {each.name for each in objects.under("runs")} == {
        f"runs/one/{name}" for name in (*FILES, "large")
    }
    objects.delete([each.name for each in objects.under("runs")])
    assert known(there) == []
    at("home")
    assert known(here) == []


UPLOAD_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tasks.remote.folders import upload_folder
from tasks.remote.objects import Objects

upload = Objects.upload

def die(objects, path, name):
    def half():
        yield path.read_bytes()[:6_000_000]
        os.kill(os.getpid(), signal.SIGKILL)

    if path.name == "large":
        objects.store.put(name, half())
    else:
        upload(objects, path, name)

Objects.upload = die
upload_folder(Path(sys.argv[1]), "runs/one", "last.json")
"""


def test_a_killed_upload_leaves_nothing_to_be_seen(url: str) -> None:
    """Neither half of an object nor a folder that lacks some of its files."""
    artifacts = artifacts_folder(url)
    write_folder(artifacts)
    died = subprocess.run(
        [sys.executable, "-c", UPLOAD_AND_DIE, artifacts], cwd=PROJECT, timeout=60, check=False
    )
    assert died.returncode == -signal.SIGKILL
    objects = objects_of(artifacts)
    assert objects
    assert {each.name for each in objects.under("runs")} <= {f"runs/one/{FILES[0]}"}
    assert known(artifacts) == []


def test_without_its_extra_a_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line that says how to install it."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(InputError, match=r"obstore is not installed.*\[shared\]"):
        Objects("s3://bucket/prefix")


def test_a_bucket_that_is_not_there_is_named(objects: Objects) -> None:
    """Also by what takes a missing object for an answer."""
    absent = Objects("s3://no-such-bucket/x")
    for ask in (absent.folders, absent.sha256, partial(versions.read, absent)):
        with pytest.raises(StoreError, match="no-such-bucket/x: there is no such bucket"):
            ask("runs")


def test_a_store_that_does_not_answer_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within seconds, and in one line."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match=r"can't be reached\. Check the network") as raised:
        versions.read(Objects(url), "champion.json")
    assert "\n" not in str(raised.value)
