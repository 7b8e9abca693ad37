"""The project as a wheel: what is in it, and that it works where no checkout is."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from examples.digits import PROJECT
from hatchling.builders.wheel import WheelBuilder

SCRIPT = """
import sys
import flows
from flows.cli import main
print(flows.__file__, file=sys.stderr)
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from this checkout."""
    built = WheelBuilder(str(PROJECT)).build(
        directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]
    )
    return Path(next(built))


def test_the_wheel_has_all_code_and_what_comes_with_it(wheel: Path) -> None:
    """Every module and template, the digits with their licence, and what `digits serve` deploys."""
    expected = {
        path.relative_to(PROJECT).as_posix()
        for package in ("flows", "tasks", "network")
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    shipped = ["data/digits.csv", "data/README.md", "prefect.toml", "prefect.yaml"]
    shipped += [f"automations/{name}.yaml" for name in ("notify", "unbegun", "vanished")]
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == expected | {f"flows/shipped_files/{name}" for name in shipped}
        for name in shipped:
            assert archive.read(f"flows/shipped_files/{name}") == (PROJECT / name).read_bytes()


def test_a_wheel_works_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """`digits plan` finds the shipped digits; they are not the checkout's."""
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "plan", "--json"],
        cwd=empty,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == f"{installed / 'flows' / '__init__.py'}\n"
    assert [stage["state"] for stage in json.loads(done.stdout)["stages"]] == ["would run"] * 4
