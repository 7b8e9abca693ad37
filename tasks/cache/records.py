"""How a stage's result is stored and loaded: strict JSON, our own record types only.

Prefect's own decoders are not used: a record names the serializer it is to be read with, and one
of those unpickles. A record that names anything but ours is refused before it is read.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from tasks.cache.atomic import clear
from tasks.cache.json_file import read_object
from tasks.cache.store import Store, StoredFile

SERIALIZER = "digits-record"  # the serializer that our records name


class RecordError(ValueError):
    """A record that can't be used; the message is the reason why its stage runs again."""


_record_types: dict[str, type[BaseModel]] = {}


def register(record_type: type[BaseModel]) -> None:
    """Admit a record type as the result of a stage."""
    _record_types[record_type.__name__] = record_type


def encoded(record: BaseModel | BaseException) -> bytes:
    """Encode a record as JSON with its type's name, or a failed stage's error as its text.

    Raises:
        TypeError: it is of no type that a stage returns.
    """
    if isinstance(record, BaseException):
        return json.dumps({"error": f"{type(record).__name__}: {record}"}).encode()
    name = type(record).__name__
    if _record_types.get(name) is not type(record):
        raise TypeError(f"{name} is not the result record of any stage")
    fields = record.model_dump(mode="json")
    return json.dumps({"record": name, "fields": fields, "sha256": _digest(fields)}).encode()


def decoded(content: bytes) -> BaseModel | BaseException:
    """Decode and validate a record.

    Raises:
        ValueError: not JSON, not a record, not a record type of ours, or one that was altered.
    """
    match json.loads(content):
        case {"error": str(text), **others} if not others:
            return RuntimeError(text)
        case {"record": str(name), "fields": dict(fields), "sha256": digest, **others} if (
            not others
        ):
            if name not in _record_types:
                raise ValueError(f"unknown record type {name!r}")
            if digest != _digest(fields):  # a changed number would pass for a result
                raise ValueError("altered since it was written")
            return _record_types[name].model_validate(fields)
        case _:
            raise ValueError("not a stage record")


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def stored_files(record: BaseModel) -> Iterator[StoredFile]:
    """Yield the stored files that a record names."""
    for name in type(record).model_fields:
        match getattr(record, name):
            case StoredFile() as file:
                yield file
            case dict() as files:
                yield from (file for file in files.values() if isinstance(file, StoredFile))


def why_unusable(store: Store, key: str) -> str | None:
    """Return why the record under a stage key can't be used; None if it can.

    A usable record is ours, decodes, and names only files that are as they were kept.
    """
    try:
        record = read(store, key)
    except RecordError as error:
        return str(error)
    return next(filter(None, map(store.damage, stored_files(record))), None)


def read(store: Store, key: str) -> BaseModel:
    """Return the record under a stage key.

    Raises:
        RecordError: there is none, or it is not one of ours; the message says which.
    """
    path = store.results / key
    if not path.exists() and not path.is_symlink():
        raise RecordError("no stored result")
    try:
        content = read_object(path)
        if content["metadata"]["serializer"]["type"] != SERIALIZER:
            raise RecordError("result record refused: it does not name our serializer")
        record = decoded(content["result"].encode())
        if isinstance(record, BaseModel):
            return record
    except RecordError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError("result record damaged") from error
    raise RecordError("result record damaged: it holds a failed stage's error")


def discard(store: Store, key: str) -> None:
    """Remove a record, or whatever has its name, so that Prefect sees a miss."""
    clear(store.results / key)
