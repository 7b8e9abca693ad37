"""The parameters of a sweep: those of a training, and a grid that varies some of them."""

import json
import math
from collections.abc import Iterator
from typing import Annotated, Any, Self

import numpy as np
from cyclopts import Parameter
from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from flows.settings import TrainingFlowSettings
from tasks.training.settings import TrainingSettings

EXAMPLE = """--grid '{"learning_rate": [0.03, 0.1], "l2": [0, 1]}'"""
HELD_OUT = 0.2  # default share of the training split to rank the networks by


class SweepSettings(TrainingFlowSettings):
    """All settings of a sweep.

    The training settings apply where the grid does not vary them.
    """

    grid: Annotated[
        dict[str, Annotated[list[JsonValue], Field(min_length=1)]], Parameter(accepts_keys=False)
    ] = Field(
        default={"learning_rate": [0.025, 0.05, 0.1]},
        min_length=1,
        title="Grid",
        description="Training settings to vary, each with a list of values, as a JSON object; "
        "every combination is trained, or some at random (`samples`).",
    )
    samples: int = Field(
        default=0,
        ge=0,
        le=10_000,
        title="Samples",
        description="How many of the grid's combinations to train, drawn at random without "
        "replacement; 0 for all of them.",
    )
    folds: int = Field(
        default=0,
        ge=0,
        le=100,
        title="Folds",
        description="Train every point so many times, each time with another part of the training "
        "split held out; 0 and 1 hold out the validation fraction once.",
    )

    @model_validator(mode="before")
    @classmethod
    def _hold_out(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        training = given.get("training", {})
        if isinstance(training, TrainingSettings):
            training = training.model_dump(exclude_unset=True)
        if not isinstance(training, dict):
            return given
        return {**given, "training": {"validation_fraction": HELD_OUT, **training}}

    @field_validator("grid", mode="before")
    @classmethod
    def _from_command_line(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given)
        except ValueError as error:
            raise ValueError(f"not JSON ({error}); an example: {EXAMPLE}") from error

    @model_validator(mode="after")
    def _all_are_ranked_by_the_same_digits(self) -> Self:
        if not self.training.validation_fraction or "validation_fraction" in self.grid:
            raise ValueError(
                "networks are compared on the same held-out digits: give one `validation_fraction` "
                "above 0, outside the grid"
            )
        if unknown := self.grid.keys() - TrainingSettings.model_fields:
            raise ValueError(
                f"`grid` {min(unknown)}: there is no such training setting. Give any of "
                f"{', '.join(TrainingSettings.model_fields)}."
            )
        combinations = math.prod(map(len, self.grid.values()))
        if self.samples > combinations:
            raise ValueError(
                f"`samples` {self.samples:,}: the grid has {combinations:,} combinations; give at "
                "most as many, or 0 for all of them"
            )
        list(self.points())  # a value out of range is an error before the first training, not after
        return self

    def points(self) -> Iterator[tuple[dict[str, Any], TrainingSettings]]:
        """Yield the points to train, the last setting fastest, with their training settings."""
        count = math.prod(map(len, self.grid.values()))
        drawn = drawn_places(count, self.samples, self.seed) if self.samples else range(count)
        for number in sorted(drawn):
            place, point = number, {}
            for name, values in reversed(self.grid.items()):
                place, choice = divmod(place, len(values))
                point[name] = values[choice]
            point = {name: point[name] for name in self.grid}
            yield point, self._training(point)

    def _training(self, point: dict[str, Any]) -> TrainingSettings:
        try:
            return TrainingSettings.model_validate({**self.training.model_dump(), **point})
        except ValidationError as error:  # of the fields of another model than this
            raise ValidationError.from_exception_data(
                "grid",
                [
                    InitErrorDetails(
                        type=each["type"],
                        loc=("grid", *each["loc"]),
                        input=each["input"] if each["loc"] else point,
                        ctx=each.get("ctx", {}),
                    )
                    for each in error.errors()
                ],
            ) from error


def drawn_places(count: int, samples: int, seed: int) -> list[int]:
    """Draw places from 0 to count - 1 without replacement; a larger number only adds to them.

    The Fisher-Yates shuffle, of which only what has moved is kept: a grid may have more
    combinations than the memory has room for.
    """
    rng = np.random.default_rng(seed)
    moved: dict[int, int] = {}
    drawn = []
    for first in range(samples):
        other = int(rng.integers(first, count))
        drawn.append(moved.get(other, other))
        moved[other] = moved.get(first, first)
    return drawn
