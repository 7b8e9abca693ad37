"""The `digits` command: a thin door to the flows and to the folders that runs leave.

Results go to stdout, logs and progress to stderr. Exit code 2 is for bad input, 1 for failure.
Prefect is imported by the commands that run a flow, so that the others answer at once.
"""

import json as json_format
import logging
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

from cyclopts import App, CycloptsError, Parameter
from pydantic import ValidationError
from rich.console import Console

from flows.settings import PredictSettings, Settings
from flows.tables import (
    predictions_on_terminal,
    run_on_terminal,
    runs_on_terminal,
    runs_table,
)
from network.gradient_descent import DivergenceError
from network.weights import WeightsError
from tasks.csv_layout import find_layout
from tasks.errors import InputError
from tasks.run_folders import MANIFEST, find_run, read_json
from tasks.store import SourceFile

if TYPE_CHECKING:
    from tasks.publish import Published

app = App(
    name="digits",
    help="Train, inspect and use a neural network that reads handwritten digits.",
    version_flags=[],
    result_action="return_value",
)

Artifacts = Annotated[Path, Parameter(help="Where runs are kept.")]
Json = Annotated[
    bool, Parameter(negative="", help="Print one JSON object on stdout, nothing else.")
]
RunName = Annotated[str, Parameter(help="A run's name or its beginning, `latest` or `champion`.")]

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command
def train(
    *, settings: Annotated[Settings, Parameter(name="*")] = Settings(), json: Json = False
) -> None:
    """Run the retraining flow here; stages whose inputs did not change are taken from the cache."""
    # A wrong path or format is told at once, not after a server has been started for the run.
    SourceFile.of(settings.csv)
    find_layout(settings.csv, settings.data)
    _configure_prefect()
    from flows.retrain import retrain

    _hide_own_tracebacks()
    # Typed as the state the flow returns; Prefect hands over what is in it.
    published = cast("Published", retrain(settings, return_state=True).result())
    if json:
        print(published.model_dump_json())
        return
    low, high = read_json(published.directory / "metrics.json")["accuracy_interval"]
    _out.print(
        f"{published.accuracy:.1%} of {published.test_rows:,} test digits read right "
        f"(95 % interval {low:.1%} to {high:.1%}), {published.verdict}"
    )
    _out.print(f"Report: {published.directory / 'report.html'}")


@app.command
def runs(*, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """List the complete runs, newest first."""
    table = runs_table(artifacts)
    if json:
        print(table.to_json(orient="records"))
    elif table.empty:
        _out.print(f"No complete run in {artifacts} yet. Start one with: digits train")
    else:
        _out.print(runs_on_terminal(table))


@app.command
def show(run: RunName, *, artifacts: Artifacts = Path("artifacts"), json: Json = False) -> None:
    """Show one run: what it did and why, how well it reads, and where its files are."""
    folder = find_run(artifacts, run)
    manifest, metrics = read_json(folder / MANIFEST), read_json(folder / "metrics.json")
    if json:
        print(json_format.dumps({"manifest": manifest, "metrics": metrics}))
        return
    _out.print(run_on_terminal(folder, manifest, metrics))


@app.command
def predict(
    *files: Annotated[Path, Parameter(help="CSV files of digits, with or without labels.")],
    settings: Annotated[PredictSettings, Parameter(name="*")] = PredictSettings(),
    json: Json = False,
) -> None:
    """Read new digits with a trained network and write down what each one is."""
    _configure_prefect()
    from flows.predict import predict as predict_flow

    # The flow's own function: a prediction at the command line needs no server and no record.
    result = predict_flow.fn(list(files), settings)
    if json:
        print(result.model_dump_json())
        return
    _out.print(predictions_on_terminal(result.output, result.rows))
    if result.accuracy is not None:
        _out.print(f"{result.accuracy:.1%} of {result.rows:,} labelled digits read right")
    _out.print(f"Predictions: {result.output}")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _fail(_explained(error), 2)
    except (InputError, WeightsError) as error:
        _fail(str(error), 2)
    except (DivergenceError, OSError) as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("Interrupted.", 130)
    except Exception as error:  # such as a Prefect API that can't be reached
        logging.getLogger(__name__).debug("failed", exc_info=True)
        _fail(f"{type(error).__name__}: {error}", 1)
    sys.exit(0)


def _fail(message: str, code: int) -> NoReturn:
    _err.print("[bold red]error:[/]", end=" ")
    _err.print(message, markup=False)
    sys.exit(code)


def _explained(error: CycloptsError) -> str:
    """Put a rejected option into one line a problem, in the words of the command line."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        command = " ".join(["digits", *(error.command_chain or ()), "--help"])
        return f"{error} Options are listed by: {command}"
    lines = []
    for problem in cause.errors(include_url=False):
        names = [str(part) for part in problem["loc"] if isinstance(part, str)]
        option = "--" + (names[-1] if names else "?").replace("_", "-")
        lines.append(f"{option} {problem['input']}: {problem['msg']}")
    return "; ".join(lines)


def _configure_prefect() -> None:
    """Use the project's prefect.toml from any working directory, below the environment's own."""
    path = Path(__file__).resolve().parent.parent / "prefect.toml"
    if path.exists():
        for name, value in _flat(tomllib.loads(path.read_text(encoding="utf-8"))):
            os.environ.setdefault(f"PREFECT_{name.upper()}", str(value))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}_")
        else:
            yield f"{prefix}{name}", value


def _hide_own_tracebacks() -> None:
    """Keep the engine's tracebacks of our own clear errors off the terminal, not out of Prefect."""

    def worth_showing(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, InputError | WeightsError | DivergenceError)

    for handler in logging.getLogger().handlers:
        handler.addFilter(worth_showing)


if __name__ == "__main__":
    main()
