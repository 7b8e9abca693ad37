"""Events that report the outcome of a run to Prefect and its automations.

Events are `digits.run.promoted`, `digits.run.kept`, `digits.run.unchanged` and `digits.run.failed`.
"""

from pathlib import Path
from typing import Any

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun
from prefect.events import emit_event


def announce(
    outcome: str,
    run: str,
    *,
    accuracy: float | None = None,
    directory: Path | None = None,
    message: str = "",
) -> None:
    """Emit the event of a finished run.

    Args:
        outcome: `promoted`, `kept`, `unchanged` or `failed`.
        run: the run's name; the flow run's where there is no folder.
        accuracy: share of the test digits recognised; None without a result.
        directory: the run's folder, if there is one.
        message: one sentence for a person.
    """
    emit_event(
        event=f"digits.run.{outcome}",
        resource={"prefect.resource.id": f"digits.run.{run}", "prefect.resource.name": run},
        payload={
            "accuracy": accuracy,
            "directory": str(directory.resolve()) if directory else None,
            "message": message,
        },
    )


def announce_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Emit `digits.run.failed`; a hook for flows that failed or crashed."""
    announce("failed", flow_run.name, message=state.message or "")
