"""What a person may say about a CSV of digits; header and compression are found out."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.digits.classes import DIGITS, FEWEST, GREATEST_LABEL, LEAST_LABEL, MOST

LABEL_NAMES = {
    "label",
    "labels",
    "digit",
    "class",
    "target",
    "y",
}  # what a column of labels is called


class CsvFormat(BaseModel):
    """How a CSV of digits is to be read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label_column: str = Field(
        default="last",
        min_length=1,
        title="Label column",
        description="Where the label stands: last, first, or a column's name in the header.",
    )
    pixel_max: float = Field(
        default=255.0,
        gt=0,
        le=1e12,
        title="Pixel maximum",
        description="The value of full ink: 255 for bytes, 1 for pixels scaled to 0 … 1.",
    )
    pixel_order: Literal["row", "column"] = Field(
        default="row",
        title="Pixel order",
        description="Whether pixels follow each other along rows or, transposed, along columns.",
    )
    classes: tuple[Annotated[int, Field(ge=LEAST_LABEL, le=GREATEST_LABEL)], ...] = Field(
        default=DIGITS,
        min_length=FEWEST,
        max_length=MOST,
        title="Classes",
        description="The labels there are, 2 to 100 different whole numbers; the digits 0 to 9 "
        "unless the file holds something else.",
    )
    label_ten_is_zero: bool = Field(
        default=False,
        title="Label ten is zero",
        description="Read label 10 as the digit 0, as 1-based tools write it.",
    )

    @field_validator("classes")
    @classmethod
    def _different_and_in_order(cls, classes: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("a label is named more than once")
        return tuple(sorted(classes))

    @model_validator(mode="after")
    def _ten_can_be_zero(self) -> Self:
        if self.label_ten_is_zero and (0 not in self.classes or 10 in self.classes):
            raise ValueError("`label_ten_is_zero` needs `classes` with 0 and without 10")
        return self
