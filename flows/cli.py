"""The `digits` command: a thin door to the flows and to the folders that runs leave.

Results go to stdout, logs and progress to stderr. Exit code 2 is for bad input, 1 for failure.
Commands are imported when they are called, so that only those that run a flow wait for Prefect.
"""

import logging
import re
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError
from rich.console import Console

from flows.rejected_options import rejected_options
from flows.server.errors import ServerError
from flows.stdout import nobody_reads, print_any_character
from network.gradient_descent import DivergenceError
from network.weights import WeightsError
from tasks.errors import InputError, StoreError, WorkerError

app = App(
    name="digits",
    help="Train, inspect and use a neural network that recognises handwritten digits.",
    version_flags=[],
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # reported by `main`, as all endings are
)
COMMANDS = {  # written here, so that listing the commands imports none of them
    "train": "Train a network; stages whose inputs did not change come from the cache.",
    "plan": "Show for every stage whether it would run, and why; runs nothing.",
    "sweep": "Train a grid of settings; rank them by held-out training digits.",
    "runs": "List the complete runs, newest first.",
    "show": "Show one run: stages, accuracy, settings.",
    "predict": "Predict the labels of new digits with a trained network.",
    "export": "Export a network as one file: NumPy, ONNX or safetensors.",
    "compare": "Compare two runs: settings, data, code, metrics, test digits.",
    "verify": "Check that a run is unchanged: recompute its digests and accuracy.",
    "promote": "Make a run the champion.",
    "rollback": "Make the previous champion the champion again.",
    "prune": "Delete old runs and their stored files; never the champion's.",
    "serve": "Start a Prefect server, the deployments and a worker.",
}
for command, summary in COMMANDS.items():
    app.command(f"flows.commands.{command}:{command}", help=summary)
app.register_install_completion_command(
    help="Complete commands and options in this shell (bash, zsh or fish), from its next start on."
)

_err = Console(stderr=True, highlight=False, soft_wrap=True)
_NO_API = (
    "Start a Prefect server there, correct PREFECT_API_URL (it ends with /api), or unset it: then "
    "each run starts a server of its own."
)


class Terminated(BaseException):
    """SIGTERM as an exception, like Ctrl-C, so that what was started is also stopped."""


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _terminate)
    print_any_character()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(words, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except CycloptsError as error:
        _fail(with_options(rejected_options(error), words), 2)
    except (InputError, WeightsError) as error:
        _fail(with_options(str(error), words), 2)
    except StoreError as error:
        _fail(with_options(str(error), words), 1)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and nobody_reads():
            sys.exit(1)
        _fail(with_options(_what_to_do(error), words), 1)
    except (DivergenceError, MemoryError, ServerError, WorkerError) as error:
        _fail(with_options(str(error), words), 1)
    except KeyboardInterrupt:
        _fail("Interrupted.", 130)
    except Terminated:
        _fail("Terminated.", 143)
    except Exception as error:
        logging.getLogger(__name__).debug("failed", exc_info=True)
        if "Failed to reach API" in str(error):
            _fail(f"{error}. {_NO_API}", 1)
        _fail(f"{type(error).__name__}: {error}", 1)
    sys.exit(0)


def _fail(message: str, code: int) -> NoReturn:
    _err.print("[bold red]error:[/]", end=" ")
    _err.print(message, markup=False)
    sys.exit(code)


def with_options(message: str, words: Sequence[str]) -> str:
    """Return a message with the settings it names in backticks as options of the command.

    Args:
        message: an error's text, such as "give `pixel_max` 1".
        words: the command line; names that are no option of its command stay as they are.
    """
    command = app.parse_commands(words)[1][-1]
    arguments = command.assemble_argument_collection() if command.default_command else ()
    options = {name for argument in arguments for name in argument.names}

    def as_option(setting: re.Match[str]) -> str:
        option = f"--{setting[1].replace('_', '-')}"
        return option if option in options else setting[0]

    return re.sub(r"`(\w+)`", as_option, message)


def _what_to_do(error: OSError) -> str:
    """Add the remedy to an error of the disk; what was complete before still is."""
    where = f"{error.filename}: " if error.filename else ""
    return (
        f"{where}{error.strerror or error}. Earlier runs and finished stages are unharmed: "
        "make room, or name another folder with `artifacts`, and start again."
    )


if __name__ == "__main__":
    main()
