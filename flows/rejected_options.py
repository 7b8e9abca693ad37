"""What is wrong with the options of a command line, in the words of the person who typed them."""

import json
from collections.abc import Sequence

from cyclopts import CoercionError, CycloptsError, UnusedCliTokensError
from pydantic import ValidationError

_WORDS = {  # pydantic speaks of tuples, dictionaries and items
    "extra_forbidden": "there is no such setting",
    "too_short": "at least {min_length} must be given",
    "too_long": "at most {max_length} may be given",
    "int_parsing": "not a whole number",
    "float_parsing": "not a number",
    "list_type": "not a list of values, such as [1, 2]",
    "tuple_type": "not a list of values, such as [1, 2]",
    "dict_type": 'not a JSON object of lists, such as {{"l2": [0, 1]}}',
    "int_from_float": "not a whole number",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt:.12g}",
    "greater_than_equal": "must be at least {ge:.12g}",
    "less_than": "must be less than {lt:.12g}",
    "less_than_equal": "must be at most {le:.12g}",
}


def rejected_options(error: CycloptsError) -> str:
    """Describe rejected options, settings in backticks, separated by semicolons."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        command = " ".join(["digits", *(error.command_chain or ()), "--help"])
        if isinstance(error, UnusedCliTokensError):
            surplus = " ".join(error.unused_tokens or ())
            return f"{surplus}: not expected here. Options are listed by: {command}"
        if isinstance(error, CoercionError) and error.target_type is int and error.token:
            return f"{error.token.keyword} {error.token.value}: {_WORDS['int_parsing']}"
        return f"{error} Options are listed by: {command}"
    lines = []
    for problem in cause.errors(include_url=False):
        names = [part for part in problem["loc"] if isinstance(part, str)]
        words = _WORDS.get(problem["type"])
        message = words.format(**problem.get("ctx", {})) if words else problem["msg"]
        message = message.removeprefix("Value error, ")
        about_several = problem["type"] == "value_error" and isinstance(problem["input"], dict)
        if "grid" in names:
            message = f"{_in_grid(names, problem['input'])}: {message}"
        elif names and not about_several:
            typed = _typed(problem["input"])
            message = f"`{names[-1]}` {typed}: {message.removeprefix(f'{typed}: ')}"
        if problem["type"] == "int_parsing" and "," in str(problem["input"]):
            message += "; several values have spaces between them"
        lines.append(message)
    return "; ".join(lines)


def _typed(value: object) -> str:
    """Return what was typed for an option, a list's values with spaces between them."""
    several = value if isinstance(value, list | tuple) else ()
    return " ".join(map(str, several)) or str(value)


def _in_grid(names: Sequence[str], value: object) -> str:
    """Return what was typed in the one option that has settings of its own, as JSON."""
    _, *settings = names[names.index("grid") :]
    return " ".join(["`grid`", *settings, value if isinstance(value, str) else json.dumps(value)])
