"""How the code is built, wherever it is: rules that no linter here knows."""

import ast
from pathlib import Path

from examples.digits import PROJECT

ARGUMENTS = 7


def arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the names of a function's arguments, of a method's without its own object."""
    given = function.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [one.arg for one in every if one and one.arg not in ("self", "cls")]


def long_lists(path: Path) -> dict[str, list[str]]:
    """Return the functions of a module that take too many arguments, by their place."""
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    taken = {f"{path}:{each.lineno}: {each.name}": arguments(each) for each in functions}
    return {place: names for place, names in taken.items() if len(names) > ARGUMENTS}


def test_no_function_takes_more_than_seven_arguments() -> None:
    """A longer list is a record that nobody has named yet."""
    found: dict[str, list[str]] = {}
    for package in ("flows", "tasks", "network"):
        for path in (PROJECT / package).rglob("*.py"):
            found |= long_lists(path)
    assert found == {}


def test_a_long_list_is_seen(tmp_path: Path) -> None:
    """Every kind of argument counts, a method's own object does not."""
    module = tmp_path / "module.py"
    module.write_text("class A:\n    def f(self, a, /, b, *c, d, e, f, **g): ...\n")
    assert long_lists(module) == {}
    module.write_text("def outer():\n    async def f(a, b, c, d, *e, f, g, **h): ...\n")
    assert list(long_lists(module)) == [f"{module}:2: f"]
