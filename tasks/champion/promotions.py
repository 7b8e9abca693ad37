"""Which run is in use and how that came to be: `champion.json`, changed by one process at a time.

Whether a run deserves it is for `champion` to say, or for a person.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from network.weights import WeightsError
from tasks.cache.atomic import atomic_path
from tasks.cache.locks import exclusive
from tasks.errors import InputError
from tasks.report.index_page import write_index
from tasks.runs.folders import CHAMPION, complete_runs, find_run, read_json
from tasks.runs.model import load_model

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
    history: list[Promotion]  # the latest last


class Promotions:
    """The promotions so far, to read and to add to while nobody else does; see `promotions`.

    Attributes:
        champion: the run in use, or None before the first promotion.
        history: every promotion, the latest last.
        damage: why `champion.json` can't be read, or None; if so there are no promotions in it,
            and the next one puts it aside as `champion.json.damaged`.
    """

    def __init__(self, artifacts: Path) -> None:
        self.champion: str | None = None
        self.history: list[Promotion] = []
        self.damage: str | None = None
        self._path = artifacts / CHAMPION
        if self._path.exists():
            try:
                content = _File.model_validate(read_json(self._path))
            except (InputError, ValidationError):
                self.damage = f"{self._path} is damaged"
            else:
                self.champion, self.history = content.run, content.history

    def add(self, run: str, accuracy: float, how: Literal["run", "hand", "rollback"]) -> None:
        """Put a run in use, by one rename of a whole file."""
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self.history.append(Promotion(run=run, accuracy=accuracy, promoted=now, how=how))
        self.champion = run
        if self.damage:
            self._path.replace(self._path.with_name(f"{CHAMPION}.damaged"))
            self.damage = None
        content = _File(run=run, history=self.history).model_dump(mode="json")
        with atomic_path(self._path) as new:
            new.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def before_the_champion(self) -> Iterator[Promotion]:
        """Yield the promotions that a rollback leads back through, the latest first.

        What was rolled back is not among them, so a second rollback goes further back.
        """
        standing: list[Promotion] = []
        for promotion in self.history:
            if promotion.how == "rollback":
                while standing and standing[-1].run != promotion.run:
                    standing.pop()
            if not standing or standing[-1].run != promotion.run:
                standing.append(promotion)
        return (each for each in reversed(standing[:-1]) if each.run != self.champion)


@contextmanager
def promotions(artifacts: Path) -> Iterator[Promotions]:
    """Yield the promotions so far; nobody else reads them here until the block ends."""
    with exclusive(artifacts / _LOCK):
        yield Promotions(artifacts)


class Moved(BaseModel):
    """Where the champion went; the object of `digits promote --json` and `digits rollback --json`.

    `replaced` is the champion before, None where there was none or it was this run; `skipped` has
    the runs that a rollback passed over, and why.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    accuracy: float
    replaced: str | None
    skipped: dict[str, str] = {}


def promote(artifacts: Path, run: str) -> Moved:
    """Put a run in use by hand; nothing happens if it is the champion already.

    Args:
        artifacts: the artifacts folder.
        run: a folder's name, any unique beginning of it, `latest` or `champion`.

    Raises:
        InputError: no complete run is meant, or its network can't be used.
        WeightsError: its weights are not a list of weight matrices.
    """
    find_run(artifacts, run)  # a folder that is none is not made one for the sake of a lock
    with promotions(artifacts) as history:
        folder = find_run(artifacts, run)
        load_model(folder)
        accuracy = read_json(folder / "metrics.json").get("accuracy")
        if not isinstance(accuracy, float):
            raise InputError(f"{folder / 'metrics.json'}: damaged. Promote another run.")
        before = history.champion
        if before == folder.name:
            return Moved(run=folder.name, accuracy=accuracy, replaced=None)
        history.add(folder.name, accuracy, "hand")
        write_index(artifacts, history.champion)
    return Moved(run=folder.name, accuracy=accuracy, replaced=before)


def roll_back(artifacts: Path) -> Moved:
    """Put the run in use that was so before the champion, passing over those that can't be used.

    Raises:
        InputError: there is no such run.
    """
    if not (artifacts / CHAMPION).exists():
        raise InputError(f"{artifacts}: no champion yet, so nothing to go back from.")
    with promotions(artifacts) as history:
        if history.damage:
            raise InputError(f"{history.damage}. Put a run in use with: digits promote RUN")
        complete = {folder.name: folder for folder in complete_runs(artifacts)}
        before = history.champion
        skipped: dict[str, str] = {}
        for promotion in history.before_the_champion():
            if promotion.run not in complete:
                skipped[promotion.run] = "deleted"
                continue
            try:
                load_model(complete[promotion.run])
            except (InputError, WeightsError) as error:
                skipped[promotion.run] = str(error)
                continue
            history.add(promotion.run, promotion.accuracy, "rollback")
            write_index(artifacts, history.champion)
            return Moved(
                run=promotion.run, accuracy=promotion.accuracy, replaced=before, skipped=skipped
            )
    passed = "".join(f" {run}: {reason}." for run, reason in skipped.items())
    raise InputError(
        f"{artifacts}: no run to go back to from {before}.{passed} "
        "List the runs with: digits runs; put one in use with: digits promote RUN"
    )
