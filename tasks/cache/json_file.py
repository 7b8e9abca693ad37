"""JSON objects from files that anything may have happened to.

A file may have been replaced by a folder, a pipe or a device, have grown beyond all bounds, or be
nested too deep for the parser: each is an error with a reason, and none hangs or fills the memory.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.cache.atomic import atomic_path
from tasks.errors import InputError

MOST_BYTES = 1 << 26  # what any file of ours stays far below


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        InputError: it is missing, not a regular file, too large, or not one JSON object.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path}: not a file")
            # Room for just its bytes: more is taken from memory before a byte is read.
            content = file.read(min(status.st_size, MOST_BYTES) + 1)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    return parsed_object(content, path)


def parsed_object(content: bytes, path: Path) -> dict[str, Any]:
    """Return the one JSON object that a file's content is.

    Args:
        content: the file's.
        path: where it is from, for the error.

    Raises:
        InputError: it is too large, or not one JSON object.
    """
    if len(content) > MOST_BYTES:
        raise InputError(f"{path}: larger than {MOST_BYTES >> 20} MB")
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{path}: not JSON: {reason}") from error
    if not isinstance(parsed, dict):
        raise InputError(f"{path}: not a JSON object")
    return parsed


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all."""
    with atomic_path(path) as new:
        new.write_bytes(json_bytes(content))


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return a JSON object as our files hold it."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace")  # a path may hold what UTF-8 can't
