"""Locks between processes: which exclude each other, and that none outlives its process."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from examples.digits import PROJECT

from tasks.cache.locks import InUseError, exclusive, exclusive_at_once, shared

HOLD = """
import subprocess, sys
from pathlib import Path
from tasks.cache import locks

with getattr(locks, sys.argv[1])(Path(sys.argv[2])):
    child = subprocess.Popen(["sleep", "60"]) if "child" in sys.argv else None
    print("held", child.pid if child else "", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(kind: str, path: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Let another process hold a lock until the block ends or the process is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, kind, str(path), *words],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]
        process.kill()


@pytest.mark.parametrize("theirs", ["shared", "exclusive", "exclusive_at_once"])
def test_kill_9_frees_a_lock(tmp_path: Path, theirs: str) -> None:
    """A process that is killed has let go, and what waited for it goes on."""
    path = tmp_path / "lock"
    with holder(theirs, path) as (process, _):
        with pytest.raises(InUseError, match="another process holds this lock"):
            exclusive_at_once(path).__enter__()
        process.kill()
        with exclusive(path):
            pass
    with exclusive_at_once(path):
        pass


def test_many_share_and_none_is_alone(tmp_path: Path) -> None:
    """Holders of the shared lock do not wait for each other; the last one to go frees it."""
    path = tmp_path / "lock"
    with ExitStack() as stack:
        stack.enter_context(holder("shared", path))
        with shared(path), shared(path):
            pass
        with pytest.raises(InUseError):
            stack.enter_context(exclusive_at_once(path))
    with exclusive_at_once(path):
        pass


def test_one_who_waits_comes_after(tmp_path: Path) -> None:
    """A lock that another process holds alone is waited for until it is released."""
    path, order = tmp_path / "lock", tmp_path / "order"
    wait = (
        "import sys; from pathlib import Path; from tasks.cache.locks import exclusive, shared\n"
        "print('here', flush=True)\n"
        f"with {{}}(Path({str(path)!r})): Path({str(order)!r}).open('a').write('second ')\n"
    )
    with ExitStack() as stack, exclusive(path):
        for kind in ("shared", "exclusive"):
            process = subprocess.Popen(
                [sys.executable, "-c", wait.format(kind)],
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
        with order.open("a") as file:
            file.write("first ")
    assert order.read_text() == "first second second "


def test_a_child_does_not_inherit_a_lock(tmp_path: Path) -> None:
    """A server that a killed flow leaves behind does not keep the flow's lock."""
    path = tmp_path / "lock"
    with holder("shared", path, "child") as (process, child):
        try:
            process.kill()
            process.wait()
            os.kill(int(child), 0)  # it lives
            with exclusive_at_once(path):
                pass
        finally:
            os.kill(int(child), 9)


def test_the_file_and_its_content_stay(tmp_path: Path) -> None:
    """The lock's file and folder are made where they are missing, and never emptied or removed."""
    path = tmp_path / "new" / "lock"
    with exclusive(path):
        assert path.read_text() == ""
    path.write_text("a note")
    with shared(path):
        pass
    assert path.read_text() == "a note"


def test_an_error_inside_frees_the_lock(tmp_path: Path) -> None:
    """Leaving the block by an error gives the lock back and lets the error out."""
    with pytest.raises(BlockingIOError, match="mine"), exclusive_at_once(tmp_path / "lock"):
        raise BlockingIOError("mine")
    with exclusive_at_once(tmp_path / "lock"):
        pass
