"""A training's progress: a bar on a terminal, log lines elsewhere, and an artifact in Prefect."""

import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

LOG_LINES = 10  # about so many log lines a training where there is no terminal
SECONDS_BETWEEN_UPDATES = 1.0  # each update of the artifact is a call to the API

_log = logging.getLogger(__name__)

Show = Callable[[int, float], None]  # epoch (from 1), cost


@contextmanager
def progress(epochs: int) -> Iterator[Show]:
    """Yield a function to call after each epoch with its number and cost."""
    with _on_screen(epochs) as on_screen:
        in_prefect = _in_prefect(epochs)

        def show(epoch: int, cost: float) -> None:
            on_screen(epoch, cost)
            in_prefect(epoch, cost)

        yield show


@contextmanager
def _on_screen(epochs: int) -> Iterator[Show]:
    if not sys.stderr.isatty():
        every = math.ceil(epochs / LOG_LINES)

        def log(epoch: int, cost: float) -> None:
            if epoch % every == 0 or epoch in (1, epochs):
                _log.info("epoch %d of %d, cost %.4f", epoch, epochs, cost)

        yield log
        return
    bar = Progress(
        TextColumn("training"),
        BarColumn(),
        TextColumn("epoch {task.completed:.0f} of {task.total:.0f}, cost {task.fields[cost]:.4f}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        training = bar.add_task("training", total=epochs, cost=float("nan"))
        yield lambda epoch, cost: bar.update(training, completed=epoch, cost=cost)


def _in_prefect(epochs: int) -> Show:
    # Imported here: a plan knows of the training and needs no Prefect.
    from prefect.artifacts import create_progress_artifact, update_progress_artifact
    from prefect.context import TaskRunContext

    if TaskRunContext.get() is None:  # called as a plain function: no run to show it in
        return lambda epoch, cost: None
    artifact = cast(
        UUID, create_progress_artifact(0.0, key="training", description=f"{epochs} epochs")
    )
    updated = time.monotonic()

    def update(epoch: int, cost: float) -> None:
        nonlocal updated
        if epoch == epochs or time.monotonic() - updated >= SECONDS_BETWEEN_UPDATES:
            updated = time.monotonic()
            update_progress_artifact(
                artifact,
                progress=100 * epoch / epochs,
                description=f"epoch {epoch} of {epochs}, cost {cost:.4f}",
            )

    return update
