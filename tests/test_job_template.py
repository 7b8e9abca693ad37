"""The work pool of `digits serve`: what a worker makes of job variables that were not checked."""

import asyncio
from pathlib import Path
from typing import Any, cast

from flows.server.job_template import job_template


def test_a_worker_ignores_all_job_variables(tmp_path: Path) -> None:
    """A run that was made past the server's check still has no command, environment or folder."""
    from prefect.workers.process import ProcessJobConfiguration

    given = {"command": "id", "env": {"A": "b"}, "env.C": "d", "working_dir": "/"}
    no_client = cast(Any, object())  # nothing is looked up
    configured = asyncio.run(
        ProcessJobConfiguration.from_template_and_values(
            job_template(tmp_path), given, client=no_client
        )
    )
    assert configured.command is None
    assert not configured.env
    assert configured.working_dir == tmp_path
