"""The parameters of a prediction: the network, and how its files are to be read."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import BaseModel, ConfigDict, Field

from flows.empty_form import STARTS_EMPTY, EmptyFields
from flows.settings import Artifacts
from tasks.digits.csv_format import CsvFormat


class PredictSettings(BaseModel):
    """All settings of a prediction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = Field(
        default="champion",
        title="Run",
        description="Which network: a run's name or its beginning, `latest` or `champion`.",
    )
    output: Path | None = Field(
        default=None,
        title="Output file",
        description=".csv or .parquet to write; by default a CSV in the artifacts folder, named "
        "after the run.",
    )
    explain: Path | None = Field(
        default=None,
        title="Explain",
        description="Folder for figures of how pictures were read: boxes and labels, and the "
        "first 1,000 digits as the network saw them.",
    )
    data: Annotated[
        CsvFormat,
        Parameter(
            name="*",
            consume_multiple=True,
            negative_iterable=(),
            show_default=False,
            group="How the files are read; what is left out is as the run was trained",
        ),
        EmptyFields(),
    ] = Field(
        default=CsvFormat(),
        title="Data",
        description="How the files are to be read; what is left out is as the run's own data.",
        json_schema_extra=STARTS_EMPTY,
    )
    artifacts: Artifacts = Field(
        default=Path("artifacts"),
        title="Artifacts folder",
        description="Where runs are kept: a folder, or a URL such as s3://bucket/prefix.",
    )

    @property
    def files(self) -> dict[str, Path | str | None]:
        """What names files, by setting."""
        return {"output": self.output, "explain": self.explain, "artifacts": self.artifacts}
