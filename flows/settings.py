"""The parameters of a flow that trains: its form in Prefect's UI, and the command's options."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cyclopts import Parameter
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from flows.dask_cluster import named_cluster
from flows.empty_form import STARTS_EMPTY, EmptyFields
from flows.recipes import RECIPES, values_by_recipe
from flows.shipped import DIGITS, digits_or_shipped
from tasks.champion.judgement import PromotionSettings
from tasks.digits.csv_format import CsvFormat
from tasks.remote.mirror import artifacts_folder, shown
from tasks.shuffle_split import SplitSettings
from tasks.training.settings import TrainingSettings

STAGES = ("ingest", "shuffle_split", "train", "merge", "evaluate")
StageName = Literal["ingest", "shuffle_split", "train", "merge", "evaluate"]


def _folder(given: Any) -> Any:
    return str(artifacts_folder(given)) if isinstance(given, str | Path) else given


# A URL is worked on in a folder that mirrors it, and written down as the URL.
Artifacts = Annotated[
    Path,
    BeforeValidator(_folder),
    PlainSerializer(shown, return_type=str, when_used="json"),
]


class TrainingFlowSettings(BaseModel):
    """Settings of every flow that trains.

    A recipe fills in the training settings that are not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    csv: Annotated[Path, AfterValidator(digits_or_shipped)] = Field(
        default=DIGITS,
        validate_default=True,
        title="CSV file",
        description="CSV of digits to train on, one image a row, plain or .gz.",
    )
    recipe: Literal["accurate", "best", "classic"] = Field(
        default="accurate",
        title="Recipe",
        description="Named training settings to start from; those that are given override it.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**32 - 1,
        title="Seed",
        description="Decides the split, the initial weights and the order of the batches.",
    )
    data: Annotated[
        CsvFormat,
        Parameter(
            name="*",
            consume_multiple=True,
            negative_iterable=(),  # there are always labels
            group="How the CSV is read",
        ),
    ] = Field(default=CsvFormat(), title="Data", description="How the CSV is to be read.")
    split: Annotated[SplitSettings, Parameter(name="*", group="Training and test split")] = Field(
        default=SplitSettings(),
        title="Split",
        description="How the digits are split into training and test.",
    )
    training: Annotated[
        TrainingSettings,
        Parameter(
            name="*",
            consume_multiple=True,
            show_default=False,
            group="The network and its training; what is left out is as the recipe says",
        ),
        EmptyFields(values_by_recipe),
    ] = Field(
        default=TrainingSettings(),
        title="Training",
        description="The network and its training; what is left out is as the recipe says.",
        json_schema_extra=STARTS_EMPTY,
    )
    initial_weights: Annotated[str, Parameter(show_default=False)] = Field(
        default="",
        title="Initial weights",
        description="Start from a trained network: a run's name, `latest`, `champion`, or the path "
        "of a weights.pkl; empty: random weights.",
    )
    fail_on_drift: bool = Field(
        default=False,
        title="Fail on drift",
        description="Fail before training if the digits have drifted from the champion's.",
    )
    workers: int = Field(
        default=0,
        ge=0,
        le=1_000,
        title="Workers",
        description="Trainings at once, each in a process of its own; 0 for as many as the "
        "machine has cores for.",
    )
    dask: Annotated[str, AfterValidator(named_cluster), Parameter(show_default=False)] = Field(
        default="",
        title="Dask",
        description="Train on a Dask cluster instead, several networks side by side or the "
        "partitions of one: a number of workers to start here, or the address of a scheduler, "
        "tcp://…",
    )
    artifacts: Artifacts = Field(
        default=Path("artifacts"),
        title="Artifacts folder",
        description="Where runs, stored files and result records are kept: a folder, or a URL "
        "such as s3://bucket/prefix.",
    )
    refresh: Annotated[tuple[StageName, ...], Parameter(parse=False)] = Field(
        default=(),
        title="Refresh",
        description="Stages to run again even if nothing changed.",
    )

    @property
    def files(self) -> dict[str, Path | str | None]:
        """What names files, by setting."""
        return {
            "csv": self.csv,
            "initial_weights": self.initial_weights,
            "artifacts": self.artifacts,
        }

    @model_validator(mode="before")
    @classmethod
    def _fill_in_recipe(cls, given: Any) -> Any:
        # Only a mapping shows what was given; anything else is for pydantic to check.
        if not isinstance(given, dict):
            return given
        recipe = RECIPES.get(given.get("recipe", "accurate"))
        training = given.get("training", {})
        if isinstance(training, BaseModel):
            training = training.model_dump(exclude_unset=True)
        if recipe is None or not isinstance(training, dict):
            return given
        return {**given, "training": {**recipe.model_dump(), **training}}


class Settings(TrainingFlowSettings):
    """All settings of a retraining run."""

    promotion: Annotated[
        PromotionSettings, Parameter(name="*", group="When the network replaces the champion")
    ] = Field(
        default=PromotionSettings(),
        title="Promotion",
        description="When the network replaces the champion.",
    )

    @model_validator(mode="after")
    def _workers_need_partitions(self) -> Self:
        if self.dask and not self.training.partitions and self.training.members == 1:
            raise ValueError(
                f"`dask` {self.dask} has nothing to do: give `partitions` too, at least one for "
                "each worker, or more than one of `members`"
            )
        return self
