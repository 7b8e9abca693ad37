"""Errors a person can mend: what was found, where, what is allowed, what to do.

A setting is named by its field, alone in backticks: give `pixel_max` 1. The command line writes
those as its options (--pixel-max), shows the text alone and exits with 2.
"""

from network.gradient_descent import DivergenceError
from network.weights import WeightsError


class InputError(ValueError):
    """Something the user gave can't be used."""


class DataError(InputError):
    """A data file breaks a rule."""


# What comes again however often the same is tried, and says in its text what to do.
FINAL = (InputError, WeightsError, DivergenceError, MemoryError)
