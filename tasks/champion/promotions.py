"""Which run is the champion, and all promotions: `champion.json`, one process at a time changes it.

Whether a run is promoted is decided in `judgement`, or by a person.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.cache.atomic import clear
from tasks.cache.json_file import read_object, write_json
from tasks.cache.locks import exclusive
from tasks.errors import InputError
from tasks.runs.folders import CHAMPION

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
        if self._path.exists() or self._path.is_symlink():
            try:
                content = _File.model_validate(read_object(self._path))
            except (InputError, ValidationError):
                self.damage = f"{self._path} is damaged"
            else:
                self.champion, self.entries = content.run, content.promotions

    def add(self, run: str, accuracy: float, how: Literal["run", "hand", "rollback"]) -> None:
        """Make a run the champion, by one rename of a whole file."""
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.entries.append(Promotion(run=run, accuracy=accuracy, promoted=now, how=how))
        self.champion = run
        if self.damage:
            aside = self._path.with_name(f"{CHAMPION}.damaged")
            clear(aside)
            self._path.replace(aside)
            self.damage = None
        content = _File(run=run, promotions=self.entries)
        write_json(self._path, content.model_dump(mode="json"))

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


@contextmanager
def open_promotions(artifacts: Path) -> Iterator[Promotions]:
    """Yield the promotions so far; no other process can open them until the block ends."""
    with exclusive(artifacts / _LOCK):
        yield Promotions(artifacts)
