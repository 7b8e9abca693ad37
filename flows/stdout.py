"""Where results are printed may know fewer characters than they have, or be closed meanwhile."""

import io
import os
import select
import sys


def print_any_character() -> None:
    """Have stdout write what its encoding lacks, such as a ★ or a →, by its code."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(errors="backslashreplace")


def nobody_reads() -> bool:
    """Return whether stdout is a pipe that was closed, as `head` does when it has read enough.

    If so, nothing more is written to it.
    """
    stdout = sys.stdout.fileno()
    polled = select.poll()
    polled.register(stdout, 0)  # what is reported unasked: that the other end is closed
    if not polled.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout)
    return True
