"""A training's progress: a bar on a terminal, log lines elsewhere, and an artifact in Prefect."""

import logging
import math
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

LOG_LINES = 10  # about so many log lines a training where there is no terminal
SECONDS_BETWEEN_UPDATES = 1.0  # each update of the artifact is a call to the API

_log = logging.getLogger(__name__)

Show = Callable[[int, float], None]  # epoch (from 1), cost
_shown: ContextVar[Progress | None] = ContextVar("bars", default=None)


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
def progress_of_several(networks: int) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each of several trainings; theirs are shown below it."""
    done = 0
    if not sys.stderr.isatty():

        def log() -> None:
            nonlocal done
            done += 1
            _log.info("%d of %d networks trained", done, networks)

        yield log
        return
    with _bars() as bars:
        bar = bars.add_task("networks", total=networks, status=f"0 of {networks}")

        def show() -> None:
            nonlocal done
            done += 1
            bars.update(bar, completed=done, status=f"{done} of {networks}")

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
    if multiprocessing.parent_process():  # one of several at once, which their starter counts
        yield lambda epoch, cost: None
        return
    is_one_of_several = _shown.get() is not None
    with _bars() as bars:
        bar = bars.add_task("training", total=epochs, status="")

        def show(epoch: int, cost: float) -> None:
            status = f"epoch {epoch} of {epochs}, cost {cost:.4f}"
            bars.update(bar, completed=epoch, status=status)

        try:
            yield show
        finally:
            bars.update(bar, visible=not is_one_of_several)


@contextmanager
def _bars() -> Iterator[Progress]:
    """Yield the bars on the terminal, one display for all: those of several trainings or new."""
    if shown := _shown.get():
        yield shown
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[status]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:
        token = _shown.set(bars)
        try:
            yield bars
        finally:
            _shown.reset(token)


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
