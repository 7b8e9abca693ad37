"""Where a stage logs to: its Prefect run, or outside of one the ordinary logger."""

import logging
from logging import LoggerAdapter

from prefect.context import TaskRunContext
from prefect.logging import get_run_logger


def run_logger() -> logging.Logger | LoggerAdapter[logging.Logger]:
    """Return the logger of the task run at work, else one that Prefect has no part in."""
    return get_run_logger() if TaskRunContext.get() else logging.getLogger("digits")
