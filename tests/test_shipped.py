"""The files that come with the code: the digits where there are none, the folder to work in."""

import subprocess
from pathlib import Path

import pytest
from examples.digits import PROJECT

from flows import shipped
from flows.cli import app
from flows.options import say_whose_digits
from flows.settings import Settings
from tasks.runs import provenance


def test_digits_that_are_there_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is the working folder's data/digits.csv; without one, the shipped digits."""
    monkeypatch.chdir(tmp_path)
    assert Settings().csv == PROJECT / "data/digits.csv"
    assert Settings(csv=Path("other.csv")).csv == Path("other.csv")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/digits.csv").touch()
    assert Settings().csv == Path("data/digits.csv")


def test_shipped_digits_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says that no CSV was named or found, and whose digits are used."""
    say_whose_digits(Path("data/digits.csv"))
    assert capsys.readouterr().err == ""
    say_whose_digits(PROJECT / "data/digits.csv")
    assert capsys.readouterr().err.startswith("No data/digits.csv here: ")


def test_deployments_of_a_wheel_work_where_they_were_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout is a folder to work in; site-packages is none."""
    assert shipped.working_folders() == [PROJECT]
    in_a_wheel = tmp_path / "flows" / "shipped_files"
    in_a_wheel.mkdir(parents=True)
    monkeypatch.setattr(shipped, "_IN_A_WHEEL", in_a_wheel)
    monkeypatch.chdir(tmp_path)
    assert shipped.working_folders() == [tmp_path, in_a_wheel]
    assert shipped.shipped("prefect.yaml") == in_a_wheel / "prefect.yaml"


def test_an_installed_package_has_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout around the environment is another project's; its commit is not ours."""
    monkeypatch.setattr(provenance, "PROJECT", PROJECT / "tasks")
    assert provenance.provenance.__wrapped__()["git"] is None


def test_a_shell_completes_commands_options_and_choices(tmp_path: Path) -> None:
    """What `digits --install-completion` writes, asked by bash as its tab key asks."""
    script = tmp_path / "digits.bash"
    script.write_text(app.generate_completion(shell="bash"))
    typed = [("tra", "train"), ("train --hid", "--hidden-layers"), ("train --recipe cl", "classic")]
    asked = [
        f"COMP_WORDS=(digits {words}); COMP_CWORD={len(words.split())}; _digits; "
        'echo "${COMPREPLY[*]}"'
        for words, _ in typed
    ]
    line = "; ".join([f"source {script}", *asked])
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [completed for _, completed in typed]
