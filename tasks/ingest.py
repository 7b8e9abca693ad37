"""The first stage: a CSV of digits becomes one validated Parquet file."""

from pydantic import BaseModel, ConfigDict

from tasks.csv_format import CsvFormat
from tasks.data_profile import profile_of
from tasks.digit_csv import csv_to_parquet
from tasks.errors import DataError
from tasks.stage import stage
from tasks.store import SourceFile, Store, StoredFile


class Ingested(BaseModel):
    """The digits as Parquet, and what they are like."""

    model_config = ConfigDict(frozen=True)

    digits: StoredFile
    profile: StoredFile
    rows: int
    image_side: int


@stage(
    "tasks/ingest.py",
    "tasks/classes.py",
    "tasks/csv_faults.py",
    "tasks/csv_format.py",
    "tasks/csv_layout.py",
    "tasks/csv_text.py",
    "tasks/data_profile.py",
    "tasks/digit_csv.py",
    "tasks/digit_table.py",
    "tasks/image_digests.py",
    "tasks/images.py",
)
def ingest(store: Store, csv: SourceFile, data: CsvFormat) -> Ingested:
    """Validate every row of a CSV and keep it as Parquet, with a profile of the digits.

    Raises:
        DataError: the CSV breaks a rule, or changed while it was read.
    """
    with store.scratch() as scratch:
        parquet = scratch / "digits.parquet"
        summary = csv_to_parquet(csv.path, parquet, data)
        if SourceFile.of(csv.path) != csv:
            raise DataError(
                f"{csv.path}: changed while it was read. Start the run again when it is whole."
            )
        found = profile_of(parquet, data.pixel_max, data.classes)
        profile = scratch / "profile.json"
        profile.write_text(found.model_dump_json() + "\n")
        return Ingested(
            digits=store.keep(parquet),
            profile=store.keep(profile),
            rows=summary.rows,
            image_side=summary.image_side,
        )
