"""Errors a person can mend: what was found, where, what is allowed, what to do.

A setting is named by its field, alone in backticks: give `pixel_max` 1. The command line writes
those as its options (--pixel-max), shows the text alone and exits with 2.
"""

import os

from network.gradient_descent import DivergenceError
from network.weights import WeightsError


class InputError(ValueError):
    """Something the user gave can't be used."""


class DataError(InputError):
    """A data file breaks a rule."""


class StoreError(OSError):
    """An object store, where artifacts are on a URL, can't be reached or refuses."""


class WorkerError(RuntimeError):
    """Processes that were to run stages can't, or not here."""


HIDE_CONTENTS = "DIGITS_HIDE_CONTENTS"  # environment variable, set where a deployment runs


def shown(content: str) -> str:
    """Return a piece of a file as a message shows it: shortened, hidden in a deployment's run.

    Anyone who starts such a run reads its errors, but is not to read the machine's files in them.
    """
    if HIDE_CONTENTS in os.environ:
        return "(hidden)"
    return content if len(content) <= 30 else f"{content[:30]}…"


def quoted(content: str) -> str:
    """Return a piece of a file as `shown` does, in quotes, unless it is hidden."""
    return shown(content) if HIDE_CONTENTS in os.environ else repr(shown(content))


# What comes again however often the same is tried, and says in its text what to do.
FINAL = (InputError, WeightsError, DivergenceError, MemoryError, WorkerError)
