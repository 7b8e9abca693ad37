"""The parameters of a sweep: those of a training, and a grid that varies some of them."""

import itertools
import json
from collections.abc import Iterator
from typing import Annotated, Any, Self

from cyclopts import Parameter
from pydantic import Field, JsonValue, field_validator, model_validator

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
        "every combination is trained.",
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
        list(self.points())  # a value out of range is an error before the first training, not after
        return self

    def points(self) -> Iterator[tuple[dict[str, Any], TrainingSettings]]:
        """Yield every point of the grid, the last setting fastest, with its training settings."""
        for values in itertools.product(*self.grid.values()):
            point = dict(zip(self.grid, values, strict=True))
            yield point, TrainingSettings.model_validate({**self.training.model_dump(), **point})
