"""Errors a person can mend: what was found, where, what is allowed, what to do.

The command line shows their text alone and exits with 2.
"""


class InputError(ValueError):
    """Something the user gave can't be used."""


class DataError(InputError):
    """A data file breaks a rule."""
