"""What a run leaves in Prefect's UI: its report and a table, as artifacts."""

import logging
from collections.abc import Mapping
from typing import Any

from httpx import HTTPError
from prefect.artifacts import create_markdown_artifact, create_table_artifact

logger = logging.getLogger(__name__)

ROWS = 1_000  # of a table; Prefect's lists hold every artifact in full


def show_in_prefect(
    run: str, reports: Mapping[str, str], tables: Mapping[str, list[dict[str, Any]]]
) -> None:
    """Leave artifacts in Prefect; the run is complete, whether Prefect's server answers or not.

    Args:
        run: its name.
        reports: markdown, by the artifact's key.
        tables: rows of like columns, by the artifact's key; only the first thousand are shown.
    """
    try:
        for key, report in reports.items():
            create_markdown_artifact(report, key=key, description=run)
        for key, rows in tables.items():
            create_table_artifact(rows[:ROWS], key=key, description=run)
    except HTTPError as error:
        logger.warning("Prefect does not show the report of %s: %s", run, error)
