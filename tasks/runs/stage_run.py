"""A call of a stage in a run, from its key to the account of what it did and why."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from tasks.cache import records
from tasks.cache.key import WHY_CACHED, StageKey, why_run
from tasks.cache.store import Store


class StageRun(BaseModel):
    """What one stage did in one run."""

    model_config = ConfigDict(frozen=True)

    name: str  # in the run: the stage's, and from its second call on with a number, as train-2
    key: StageKey
    state: str  # "ran" or "cached"
    reason: str
    seconds: float
    outputs: dict[str, str]  # each output file's SHA-256

    def described(self) -> dict[str, Any]:
        """Return the stage's account for the manifest."""
        return {
            "state": self.state,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "key": self.key.digest,
            **self.key.model_dump(mode="json", exclude={"stage"}),
            "outputs": self.outputs,
        }


class Call(NamedTuple):
    """A call of a stage that has begun."""

    name: str
    key: StageKey
    arguments: Mapping[str, Any]
    unusable: str | None  # why its stored result can't be used
    refresh: bool  # whether it runs even so
    began: float

    @classmethod
    def begin(
        cls, store: Store, key: StageKey, arguments: Mapping[str, Any], name: str, *, refresh: bool
    ) -> Self:
        """Look for a stored result, and remove a record that can't be used."""
        unusable = records.why_unusable(store, key.digest)
        if unusable:
            records.discard(store, key.digest)
        return cls(name, key, arguments, unusable, refresh, time.perf_counter())

    @property
    def must_run(self) -> bool:
        """Whether it can't be answered from the store."""
        return self.refresh or self.unusable is not None

    def account(
        self, before: Mapping[str, StageKey], result: BaseModel, *, cached: bool
    ) -> StageRun:
        """Return what the call did.

        Args:
            before: the keys of the latest complete run, by their calls' names.
            result: the call's record.
            cached: whether that was stored.
        """
        reason = why_run(self.name, before, self.key, self.unusable, refresh=self.refresh)
        return StageRun(
            name=self.name,
            key=self.key,
            state="cached" if cached else "ran",
            reason=WHY_CACHED if cached else reason,
            seconds=time.perf_counter() - self.began,
            outputs={file.name: file.sha256 for file in records.stored_files(result)},
        )
