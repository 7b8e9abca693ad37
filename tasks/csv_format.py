"""What a person may say about a CSV of digits; header and compression are found out."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


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
        allow_inf_nan=False,
        title="Pixel maximum",
        description="The value of full ink: 255 for bytes, 1 for pixels scaled to 0 … 1.",
    )
    pixel_order: Literal["row", "column"] = Field(
        default="row",
        title="Pixel order",
        description="Whether pixels follow each other along rows or, transposed, along columns.",
    )
    label_ten_is_zero: bool = Field(
        default=False,
        title="Label ten is zero",
        description="Read label 10 as the digit 0, as 1-based tools write it.",
    )
