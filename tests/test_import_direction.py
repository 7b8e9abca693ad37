"""Imports run one way: flows, tasks, network; in tasks/ down the floors; a key knows its code."""

import ast
import importlib
import sys
from pathlib import Path

import pytest
from examples.digits import PROJECT

from tasks.cache.sources import digests_of_stage, imported_modules

ABOVE = {
    "network": {"tasks", "flows", "benchmarks", "tests"},
    "tasks": {"flows", "benchmarks", "tests"},
    "flows": {"benchmarks", "tests"},
}
# The rooms of tasks/, the lowest floor first; what is in no room is a verb, on the top floor.
FLOORS = [
    {"errors"},
    {"cache"},
    {"remote"},
    {"digits"},
    {"runs"},
    {"champion", "report", "training"},
    {"photographs"},
]
STAGES = ["ingest", "shuffle_split", "train", "merge", "evaluate"]


def modules(package: str) -> list[str]:
    """Return the dotted names of a package's modules."""
    paths = sorted((PROJECT / package).rglob("*.py"))
    return [
        path.relative_to(PROJECT).with_suffix("").as_posix().replace("/", ".")
        for path in paths
        if path.name != "__init__.py"
    ]


def imported(path: Path) -> set[str]:
    """Return the dotted names of everything a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("package", ABOVE)
def test_no_package_imports_one_above_it(package: str) -> None:
    """Nothing in network knows of tasks, nothing in tasks knows of flows."""
    for module in (PROJECT / package).rglob("*.py"):
        roots = {name.split(".")[0] for name in imported(module)}
        assert not roots & ABOVE[package], module


def room(module: str) -> str | None:
    """Return the room of one of tasks' modules; None for a verb."""
    name = module.split(".")[1]
    return name if any(name in floor for floor in FLOORS) else None


def floor(module: str) -> int:
    """Return the floor of one of tasks' modules."""
    name = room(module)
    return next((n for n, rooms in enumerate(FLOORS) if name in rooms), len(FLOORS))


def test_every_room_is_on_a_floor() -> None:
    """A new folder in tasks/ has to say which others it may import."""
    folders = {path.parent.name for path in (PROJECT / "tasks").glob("*/__init__.py")}
    assert folders | {"errors"} == set().union(*FLOORS)


@pytest.mark.parametrize("module", modules("tasks"))
def test_a_room_imports_only_from_itself_and_from_lower_floors(module: str) -> None:
    """Rooms on one floor do not know each other, and no room imports a verb."""
    for other in imported_modules(module):
        if other.startswith("tasks."):
            same = room(module) == room(other)
            assert same or floor(other) < floor(module), f"{module} imports {other}"


def test_nothing_private_is_imported() -> None:
    """A name with an underscore belongs to its own module."""
    for package in ABOVE:
        for module in (PROJECT / package).rglob("*.py"):
            for name in imported(module):
                private = name.split(".")[0] in ABOVE and name.split(".")[-1].startswith("_")
                assert not private, f"{module} imports {name}"


def test_packages_define_nothing() -> None:
    """A room's `__init__.py` only says what is in it, so no stage can depend on one."""
    for package in ABOVE:
        for path in (PROJECT / package).rglob("__init__.py"):
            _, *others = ast.parse(path.read_text(encoding="utf-8")).body
            # tasks/__init__.py sets the level of a logger.
            assert all(isinstance(each, ast.Import | ast.Expr) for each in others), path
            assert imported(path) <= {"logging"}


def test_network_knows_numpy_and_the_standard_library_only() -> None:
    """The network is NumPy by hand; threadpoolctl only says how many threads NumPy may use."""
    for module in (PROJECT / "network").rglob("*.py"):
        roots = {name.split(".")[0] for name in imported(module)}
        assert roots <= {"network", "numpy", "threadpoolctl"} | sys.stdlib_module_names, module


def test_network_prints_nothing_and_opens_files_in_its_reader_only() -> None:
    """Output and files are the tasks' business; weights.py is the one exception on files."""
    for module in (PROJECT / "network").rglob("*.py"):
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert "print" not in calls, module
        if module.name != "weights.py":
            assert not {"open", "Path"} & calls, module


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_in_no_hidden_way(stage: str) -> None:
    """Every import of a stage's code is a statement, so that its key can find it."""
    for path in digests_of_stage(f"tasks.{stage}"):
        tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"importlib", "import_module", "__import__", "exec", "eval"}, path


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_key_knows_what_python_really_imports(stage: str) -> None:
    """What was found in the source is what Python loads of the project, but for neutral modules."""
    importlib.import_module(f"tasks.{stage}")
    neutral = ("tasks.cache.", "tasks.errors", "flows.")
    known = digests_of_stage(f"tasks.{stage}")
    for path in known:
        for other in imported_modules(path.removesuffix(".py").replace("/", ".")):
            is_known = other.replace(".", "/") + ".py" in known
            is_verb = other.startswith("tasks.") and room(other) is None
            is_neutral = other.startswith(neutral) or other.endswith((".settings", ".progress"))
            assert is_known or is_verb or is_neutral, f"{path} imports {other}"


def test_each_stage_depends_on_its_own_code_and_no_more() -> None:
    """An edit of gradient descent reruns train and leaves the key of evaluate alone."""
    code = {stage: digests_of_stage(f"tasks.{stage}").keys() for stage in STAGES}
    for stage in STAGES:
        others = {f"tasks/{other}.py" for other in STAGES} - {f"tasks/{stage}.py"}
        assert f"tasks/{stage}.py" in code[stage]
        assert not others & code[stage]
    assert "network/gradient_descent.py" in code["train"] - code["evaluate"]
    assert "network/loss.py" in code["train"] & code["evaluate"]
    assert "tasks/report/charts.py" in code["evaluate"] - code["train"]
    assert not {path for path in code["ingest"] if path.startswith("network/")}
