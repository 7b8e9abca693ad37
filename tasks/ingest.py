"""The first stage: a CSV of digits becomes one validated Parquet file."""

from pydantic import BaseModel, ConfigDict

from tasks.cache.stage import stage
from tasks.cache.store import SourceFile, Store, StoredFile
from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.profile import profile_of


class Ingested(BaseModel):
    """The digits as Parquet, and what they are like."""

    model_config = ConfigDict(frozen=True)

    digits: StoredFile
    profile: StoredFile
    rows: int
    image_side: int


@stage
def ingest(store: Store, csv: SourceFile, data: CsvFormat) -> Ingested:
    """Validate every row of a CSV and keep it as Parquet, with a profile of the digits.

    Raises:
        DataError: the CSV breaks a rule, or changed while it was read.
    """
    with store.scratch() as scratch:
        parquet = scratch / "digits.parquet"
        summary = csv_to_parquet(csv.path, parquet, data, csv.sha256)
        found = profile_of(parquet, data.pixel_max, data.classes)
        profile = scratch / "profile.json"
        profile.write_text(found.model_dump_json() + "\n")
        return Ingested(
            digits=store.keep(parquet),
            profile=store.keep(profile),
            rows=summary.rows,
            image_side=summary.image_side,
        )
