"""`python -m MODULE …` as a process that ends with its starter.

To be started as `python -m flows.server.ends_with_starter MODULE …`.

The starter holds the other end of its standard input. The kernel closes that end however the
starter ends, by kill -9 too, and then this process ends itself.
"""

import os
import runpy
import signal
import sys
import time
from threading import Thread

SECONDS_TO_STOP = 10


def main() -> None:
    """Run the module of the arguments in this process."""
    starter = os.dup(sys.stdin.fileno())
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())  # what the module starts is not to read there
    Thread(target=_end_with, args=(starter,), daemon=True).start()
    sys.argv = sys.argv[1:]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:  # before the module has a handler of its own
        sys.exit(130)


def _end_with(starter: int) -> None:
    while os.read(starter, 1):  # nothing is left to read when the other end is closed
        pass
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), sys.stderr.fileno())  # a server that just starts ends noisily
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_STOP)
    os._exit(1)


if __name__ == "__main__":
    main()
