"""What can go wrong with a server that a command started."""


class ServerError(RuntimeError):
    """A Prefect server, or what belongs to it, could not be started or ended by itself."""
