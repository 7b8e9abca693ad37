"""The runs that a worker has begun and not ended, when its server is stopped or started again."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

# Prefect is imported where it is needed: it reads its settings from the environment then.


def cancel_runs(client: "SyncPrefectClient", pool: str, seconds: float) -> None:
    """Have the workers of a pool end their runs, and wait: a worker that is stopped would wait.

    Args:
        client: of the server.
        pool: the name of the work pool.
        seconds: to wait at most.
    """
    from prefect.client.schemas.objects import StateType
    from prefect.states import Cancelling

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        runs = list(_in_progress(client, pool))
        for run in runs:
            if run.state_type != StateType.CANCELLING:
                client.set_flow_run_state(run.id, Cancelling(message="The worker is stopped."))
        if not runs:
            return
        time.sleep(0.5)


def end_lost_runs(client: "SyncPrefectClient", pool: str, worker: str) -> None:
    """End the runs of a worker that was killed as Crashed; they would stay Running for ever.

    Args:
        client: of the server.
        pool: the name of the work pool.
        worker: the name of the worker, which must not be at work.
    """
    from prefect.states import Crashed

    for run in _in_progress(client, pool):
        if run.labels.get("prefect.worker.name") == worker:
            message = "Its worker was killed; finished stages are kept."
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)


def _in_progress(client: "SyncPrefectClient", pool: str) -> Iterator["FlowRun"]:
    from prefect.client.schemas import filters
    from prefect.client.schemas.objects import StateType

    going = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    of_pool = filters.WorkPoolFilter(name=filters.WorkPoolFilterName(any_=[pool]))
    unfinished = filters.FlowRunFilter(
        state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=going))
    )
    yield from client.read_flow_runs(flow_run_filter=unfinished, work_pool_filter=of_pool)
