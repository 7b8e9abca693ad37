"""Imports run one way: flows, tasks, network; and a stage's key knows all the code it uses."""

import ast
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
ABOVE = {
    "network": {"tasks", "flows", "benchmarks", "tests"},
    "tasks": {"flows", "benchmarks", "tests"},
    "flows": {"benchmarks", "tests"},
}


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


# What stages share without letting it decide their bytes: moving files, keys, records, errors.
NEUTRAL = {
    "tasks.cache.atomic",
    "tasks.errors",
    "tasks.runs.plan",
    "tasks.training.progress",
    "tasks.cache.records",
    "tasks.runs.run",
    "tasks.runs.folders",
    "tasks.training.settings",
    "tasks.cache.stage",
    "tasks.cache.key",
    "tasks.cache.store",
}


def used_modules(module: str) -> set[str]:
    """Return the project's modules that one imports, directly or through others, and itself."""
    found: set[str] = set()
    open_ends = [module]
    while open_ends:
        name = open_ends.pop()
        path = PROJECT / (name.replace(".", "/") + ".py")
        if name in found | NEUTRAL or not path.is_file():
            continue
        found.add(name)
        open_ends += sorted(imported(path))
    return found


@pytest.mark.parametrize("stage", ["ingest", "shuffle_split", "train", "evaluate"])
def test_a_stage_key_covers_the_code_the_stage_uses(stage: str) -> None:
    """Every module a stage's module reaches is in its key, so no edit can leave a stale result."""
    from importlib import import_module

    from tasks.cache.key import code_digests

    decorated = getattr(import_module(f"tasks.{stage}"), stage)
    covered = {
        name.removesuffix(".py").replace("/", ".") for name in code_digests(decorated.sources)
    }
    assert used_modules(f"tasks.{stage}") <= covered
