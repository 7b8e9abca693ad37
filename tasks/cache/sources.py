"""The source files a stage's result depends on, worked out from what they import.

A stage's key holds the digest of each. The search stops where code can't decide a result: at the
cache, at errors, settings (their values are in the key), progress, and at other stages (what they
made is in the key by its content).
"""

import dis
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType

from tasks.cache.store import sha256_of

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("flows", "tasks", "network")


def digests_of_stage(module: str) -> dict[str, str]:
    """Return the SHA-256 of each source file that a stage's module depends on, itself included.

    Args:
        module: dotted name of the stage's module, such as `tasks.train`.

    Returns:
        Digests by the file's path from the project's root.
    """
    return {path: _digest(path) for path in _stage_sources(module)}


def digests_of_everything() -> dict[str, str]:
    """Return the SHA-256 of every source file of the project, by its path from the root."""
    modules = (module for package in PACKAGES for module in (PROJECT / package).rglob("*.py"))
    paths = sorted(module.relative_to(PROJECT).as_posix() for module in modules)
    return {path: _digest(path) for path in paths}


# Once a process: what runs is what was imported, whatever is edited meanwhile.
@cache
def _digest(path: str) -> str:
    return sha256_of(PROJECT / path)


@cache
def _stage_sources(module: str) -> tuple[str, ...]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or (name != module and _is_neutral(name)):
            continue
        found.add(name)
        waiting += imported_modules(name)
    return tuple(sorted(_path(name) for name in found))


def _is_neutral(module: str) -> bool:
    """Whether a module is one that the search stops at."""
    package, *rest = module.split(".")
    is_verb = package == "tasks" and len(rest) == 1  # another stage, or tasks.errors
    return is_verb or module.startswith("tasks.cache.") or rest[-1:] in (["settings"], ["progress"])


@cache
def imported_modules(module: str) -> tuple[str, ...]:
    """Return the project's modules that a module imports, wherever in it."""
    path = PROJECT / _path(module)
    # Compiled rather than parsed: Python 3.11 can't make syntax trees in several threads at once.
    code = compile(path.read_bytes(), path, "exec")
    return tuple(sorted({name for name in _imported_names(code) if _is_module(name)}))


def _imported_names(code: CodeType) -> Iterator[str]:
    package = ""
    # Most functions import nothing of the project, and disassembling them all takes long.
    ours = any(name.split(".")[0] in PACKAGES for name in code.co_names)
    for instruction in dis.get_instructions(code) if ours else ():
        if instruction.opname == "IMPORT_NAME":
            package = instruction.argval
            yield package
        elif instruction.opname == "IMPORT_FROM":
            yield f"{package}.{instruction.argval}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):  # a function or a class
            yield from _imported_names(constant)


def _is_module(name: str) -> bool:
    return name.split(".")[0] in PACKAGES and (PROJECT / _path(name)).is_file()


def _path(module: str) -> str:
    return module.replace(".", "/") + ".py"
