"""A run while it runs: its store, its clock, and what each stage does and why.

Every stage that is called leaves its account here; `publish` writes them to the run's folder.
"""

import re
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, Self

from prefect.task_runners import TaskRunner
from pydantic import BaseModel

from tasks.cache.key import call_name
from tasks.cache.locks import IN_USE, shared
from tasks.cache.prefect_task import execute
from tasks.cache.side_by_side import side_by_side
from tasks.cache.stage import P, Progress, R, Stage
from tasks.cache.store import Store
from tasks.remote.results import download_result, upload_result
from tasks.runs import folders as run_folders
from tasks.runs.shared_runs import update_runs
from tasks.runs.stage_run import Call, StageRun

RunnerFor = Callable[[int], TaskRunner[Any] | None]


_LONGEST = 180  # bytes; a file's name may have 255, the time and what else is added included


def no_runner(calls: int) -> None:
    """Have the calls of a stage performed in this process, one after another."""


class Run:
    """A run that has begun: stages are called with it, and it keeps what they did.

    Inside its `with` block nothing of the artifacts folder is pruned.

    Args:
        artifacts: the artifacts folder.
        flow_run_name: Prefect's name for the run, the second half of the folder's; what is no
            letter, digit, `_`, `.` or `-` in it becomes a `-`.
        refresh: names of stages that run even if their result is stored.
        runner_for: returns the Prefect task runner for a number of calls of one stage; None to
            perform them in this process.

    Raises:
        OSError: the artifacts folder can't be written to.
    """

    def __init__(
        self,
        artifacts: Path,
        flow_run_name: str,
        refresh: Collection[str] = (),
        runner_for: RunnerFor = no_runner,
    ) -> None:
        self.started = datetime.now(UTC)
        self.store = Store(folder=artifacts)
        self.store.prepare()
        update_runs(artifacts)
        self.name = f"{self.started:%Y-%m-%dT%H-%M-%SZ}-{_in_a_path(flow_run_name)}"
        self.stages: list[StageRun] = []
        self._clock = time.perf_counter()
        self._before = run_folders.latest_stage_keys(artifacts)
        self._refresh = refresh
        self._runner_for = runner_for
        self._locks = ExitStack()

    def __enter__(self) -> Self:
        """Mark the artifacts folder as in use."""
        self._locks.enter_context(shared(self.store.folder / IN_USE))
        return self

    def __exit__(self, *_: object) -> None:
        """Release the artifacts folder."""
        self._locks.close()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._clock

    @property
    def nothing_new(self) -> bool:
        """Whether every stage so far was cached."""
        return all(stage.state == "cached" for stage in self.stages)

    def check(
        self, check: Callable[Concatenate[Store, P], None], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Check something between two stages; what it raises ends the run."""
        check(self.store, *args, **kwargs)

    def perform(self, stage: Stage[..., R], arguments: Mapping[str, Any]) -> R:
        """Run a stage, or take its stored result, and keep an account of which and why."""
        return self._perform(stage, self._begin(stage, arguments, stage.name))

    def perform_all(
        self,
        stage: Stage[..., R],
        calls: Sequence[Mapping[str, Any]],
        progress: Progress,
        allowed: type[Exception] | tuple[type[Exception], ...] = (),
    ) -> list[R | Exception]:
        """Perform several calls of a stage; those without a stored result run side by side.

        Args:
            stage: what to call.
            calls: the arguments of each.
            progress: takes the number of calls, and yields what to call after each.
            allowed: errors that concern one call and not the others.

        Returns:
            The record of each call, in their order, or the error where it is an allowed one.

        Raises:
            Exception: any other error of a call; what is still at work then is ended.
        """
        begun = [
            self._begin(stage, arguments, call_name(stage.name, number))
            for number, arguments in enumerate(calls)
        ]
        ended: dict[str, R | Exception] = {}
        with progress(len(calls)) as done:
            with closing(self._side_by_side(stage, begun)) as each_end:
                for digest, outcome in each_end:
                    if not isinstance(outcome, BaseModel) and not isinstance(outcome, allowed):
                        raise outcome
                    ended[digest] = outcome
                    done()
            for call in begun:
                digest = call.key.digest
                if digest not in ended:
                    try:
                        ended[digest] = self._perform(stage, call)
                    except allowed as error:
                        ended[digest] = error
                    done()
                elif isinstance(record := ended[digest], BaseModel):
                    self._end(call, record, cached=False)
        return [ended[call.key.digest] for call in begun]

    def _side_by_side(
        self, stage: Stage[..., R], begun: Sequence[Call]
    ) -> Generator[tuple[str, R | Exception], None, None]:
        """Yield how the calls ended that are performed elsewhere, by their keys."""
        new = {each.key.digest: each.arguments for each in begun if each.must_run}
        runner = self._runner_for(len(new)) if new else None
        if runner is None:
            return
        refresh = stage.name in self._refresh
        with closing(side_by_side(runner, stage, self.store, new, refresh=refresh)) as each_end:
            for digest, outcome in each_end:
                if isinstance(outcome, BaseModel):
                    upload_result(self.store, digest, is_new=True)
                yield digest, outcome

    def _begin(self, stage: Stage[..., R], arguments: Mapping[str, Any], name: str) -> Call:
        key = stage.key(arguments)
        download_result(self.store, key.digest)
        refresh = stage.name in self._refresh
        return Call.begin(self.store, key, arguments, name, refresh=refresh)

    def _perform(self, stage: Stage[..., R], call: Call) -> R:
        call = call._replace(began=time.perf_counter())  # others may have been waited for
        state = execute(stage, self.store, call.arguments, refresh=call.refresh)
        result, is_cached = state.result(), state.name == "Cached"
        if not is_cached:
            upload_result(self.store, call.key.digest, is_new=True)
        return self._end(call, result, cached=is_cached)

    def _end(self, call: Call, result: R, *, cached: bool) -> R:
        self.store.drop_checkpoint(call.key.digest)  # its result is stored now
        self.stages.append(call.account(self._before, result, cached=cached))
        return result


def _in_a_path(name: str) -> str:
    """Return a name as a part of a file's: whoever starts a flow run may give it any name."""
    return re.sub(r"[^\w.-]+", "-", name).encode()[:_LONGEST].decode(errors="ignore")
