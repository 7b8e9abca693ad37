"""`python -m flows.server.keeper COMMAND…`: a command that does not outlive its starter.

Its starter holds the other end of its standard input. That end is closed by the kernel however the
starter ends, by kill -9 too, and then the command is ended.
"""

import os
import subprocess
import sys
from threading import Thread

SECONDS_TO_STOP = 10


def main() -> int:
    """Run the command of the arguments and return its exit code."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    Thread(target=_end_with_starter, args=(process,), daemon=True).start()
    return process.wait()


def _end_with_starter(process: "subprocess.Popen[bytes]") -> None:
    while os.read(sys.stdin.fileno(), 1):  # nothing is left to read when the other end is closed
        pass
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()


if __name__ == "__main__":
    sys.exit(main())
