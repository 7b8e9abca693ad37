"""Which run is the champion, and all promotions: `champion.json`, one process at a time changes it.

In a folder that is seen to by a lock. On a URL the file is only replaced if it still is as it was
read; who comes too late begins again, and so compares with the new champion. Whether a run is
promoted is decided in `judgement`, or by a person.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.cache.atomic import clear
from tasks.cache.json_file import json_bytes, parsed_object, read_object, write_json
from tasks.cache.locks import exclusive
from tasks.errors import InputError
from tasks.remote import versions
from tasks.remote.mirror import shown
from tasks.remote.objects import objects_of
from tasks.remote.versions import LostRace, Version
from tasks.runs.folders import CHAMPION
from tasks.runs.shared_runs import update_runs

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

_LOCK = ".champion-lock"


class Promotion(BaseModel):
    """One change of the champion."""

    model_config = ConfigDict(frozen=True)

    run: str
    accuracy: float  # on the test split of the run's own day
    promoted: str  # when, in UTC
    how: Literal["run", "hand", "rollback"] = "run"


class _File(BaseModel):
    """What `champion.json` holds."""

    run: str
    promotions: list[Promotion]  # the latest last


class Promotions:
    """The promotions so far, to read and, inside `open_promotions`, to add to.

    Attributes:
        champion: the run's name, or None before the first promotion.
        entries: every promotion, the latest last.
        damage: why `champion.json` can't be read, or None. If it can't, there are no entries, and
            the next promotion moves it to `champion.json.damaged`.
    """

    def __init__(self, artifacts: Path) -> None:
        self.champion: str | None = None
        self.entries: list[Promotion] = []
        self.damage: str | None = None
        self._path = artifacts / CHAMPION
        self._objects = objects_of(artifacts)
        self._version: Version | None = None  # of the object that was read
        try:
            found = self._found()
            content = None if found is None else _File.model_validate(found)
        except (InputError, ValidationError):
            self.damage = f"{shown(self._path)} is damaged"
        else:
            if content:
                self.champion, self.entries = content.run, content.promotions

    def add(self, run: str, accuracy: float, how: Literal["run", "hand", "rollback"]) -> None:
        """Make a run the champion, by one rename of a whole file or one conditional write.

        Raises:
            LostRace: another machine has changed the champion since the promotions were opened.
        """
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.entries.append(Promotion(run=run, accuracy=accuracy, promoted=now, how=how))
        self.champion = run
        if self.damage:
            self._put_aside()
        content = _File(run=run, promotions=self.entries).model_dump(mode="json")
        if self._objects:
            versions.replace(self._objects, CHAMPION, json_bytes(content), self._version)
        write_json(self._path, content)

    def before_the_champion(self) -> Iterator[Promotion]:
        """Yield the promotions that a rollback goes back through, the latest first.

        What was rolled back is not among them, so a second rollback goes further back.
        """
        standing: list[Promotion] = []
        for promotion in self.entries:
            if promotion.how == "rollback":
                while standing and standing[-1].run != promotion.run:
                    standing.pop()
            if not standing or standing[-1].run != promotion.run:
                standing.append(promotion)
        return (each for each in reversed(standing[:-1]) if each.run != self.champion)

    def _found(self) -> dict[str, Any] | None:
        """Return what `champion.json` holds; None before the first promotion."""
        if self._objects is None:
            exists = self._path.exists() or self._path.is_symlink()
            return read_object(self._path) if exists else None
        found = versions.read(self._objects, CHAMPION)
        if found is None:
            return None
        content, self._version = found
        return parsed_object(content, self._path)

    def _put_aside(self) -> None:
        """Keep a damaged `champion.json` under another name."""
        aside = self._path.with_name(f"{CHAMPION}.damaged")
        if self._objects:
            self._objects.copy(CHAMPION, aside.name)
        else:
            clear(aside)
            self._path.replace(aside)
        self.damage = None


@contextmanager
def open_promotions(artifacts: Path) -> Iterator[Promotions]:
    """Yield the promotions so far; no other process here can open them until the block ends.

    On a URL another machine can: a function that adds to them is one that `begins_again`.
    """
    with exclusive(artifacts / _LOCK):
        promotions = Promotions(artifacts)
        update_runs(artifacts)  # after they were read, or their champion might not be known yet
        yield promotions


def begins_again(change: Callable[P, R]) -> Callable[P, R]:
    """Call a function again whenever another machine changed the champion before it could.

    Of those that are too late at once, one was in time, so it ends.
    """

    @wraps(change)
    def until_in_time(*args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            try:
                return change(*args, **kwargs)
            except LostRace as race:
                logger.info("%s: changed by another machine meanwhile; begun again", race)

    return until_in_time
