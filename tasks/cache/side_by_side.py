"""Calls of a stage side by side, on any Prefect task runner; what a lost worker had is redone.

A worker's record is taken from the store and not from its answer: so a worker that runs other code
or keeps its files elsewhere is noticed.
"""

import logging
import multiprocessing
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import Any, cast

from prefect import State
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner

from tasks.cache import records
from tasks.cache.prefect_task import as_task
from tasks.cache.stage import R, Stage
from tasks.cache.store import Store
from tasks.errors import WorkerError

_log = logging.getLogger(__name__)

MOST_LOSSES = 3  # of workers, one after another, without any call coming to its end


def side_by_side(
    runner: TaskRunner[Any],
    stage: Stage[..., R],
    store: Store,
    calls: Mapping[str, Mapping[str, Any]],
    *,
    refresh: bool,
) -> Generator[tuple[str, R | Exception], None, None]:
    """Perform calls of a stage on a task runner, each as a Prefect task.

    The iterator is to be closed: what is still at work then is ended.

    Args:
        runner: where to; it is left as it is, and copies of it are started.
        stage: what to call.
        store: where results and files are kept; the workers see the same folder.
        calls: the arguments of each by its key.
        refresh: whether to run it even if its result is stored.

    Yields:
        A call's key and its record, or the error that it ended with; the first to end first.

    Raises:
        WorkerError: workers were lost again and again, or left no record where it belongs.
    """
    store = Store(folder=store.folder.resolve())  # workers may have another working directory
    task = as_task(stage, store, refresh=refresh)
    left, losses = dict(calls), 0
    while left:
        with runner.duplicate() as workers, _ended_on_errors():
            try:
                futures = {
                    workers.submit(task, {"store": store, **arguments}): key
                    for key, arguments in left.items()
                }
            except OSError as error:
                raise WorkerError(f"the workers can't be reached: {error}") from error
            for future in as_completed(list(futures)):
                state, key = _final_state(future), futures[future]
                if state is None:
                    continue
                outcome = _outcome(stage, store, key, state)
                del left[key]
                losses = 0
                yield key, outcome
        if not left:
            return
        losses += 1
        _log.warning("a worker ended; %d of %s are begun again", len(left), stage.name)
        if losses == MOST_LOSSES:
            raise WorkerError(
                f"workers ended {losses} times before any {stage.name} was done, perhaps for want "
                "of memory: give fewer `workers`. What was done is kept: start again to resume."
            )


def _final_state(future: PrefectFuture[Any]) -> State[Any] | None:
    """Return how a call ended; None if its worker was lost."""
    try:
        future.wait()
    except BrokenExecutor:
        return None
    state = future.state
    return state if state.is_completed() or state.is_failed() else None


def _outcome(stage: Stage[..., R], store: Store, key: str, state: State[R]) -> R | Exception:
    if state.is_failed():
        return cast(Exception, state.result(raise_on_failure=False))
    if missing := records.why_unusable(store, key):
        raise WorkerError(
            f"a worker's {stage.name} is not in {store.folder}: {missing}. All workers must see "
            "this folder and run the same version of this project."
        )
    return cast(R, records.read(store, key))


@contextmanager
def _ended_on_errors() -> Iterator[None]:
    """End the processes started in the context if it is left by an exception, such as Ctrl-C."""
    others = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
