"""What is asked of the setting `dask` before anything is started: its form, and the extra."""

import re
from importlib.util import find_spec

from tasks.errors import InputError


def check_dask(dask: str) -> None:
    """Refuse a Dask cluster where the extra is not installed.

    Args:
        dask: the setting; empty for none.

    Raises:
        InputError: prefect-dask is not installed.
    """
    if dask and not find_spec("prefect_dask"):
        raise InputError(
            "`dask` needs the package prefect-dask, which is not installed. Install it as an "
            "extra, in the project's folder: .venv/bin/python -m pip install -e '.[dask]'"
        )


def named_cluster(dask: str) -> str:
    """Return the setting if it names a cluster, or none.

    Raises:
        ValueError: it is neither empty nor a number of workers from 1 to 1000 nor an address.
    """
    if dask and not re.fullmatch(r"[1-9]\d{0,2}|1000|(tcp|tls|ws|wss)://\S+", dask):
        raise ValueError("give a number of workers from 1 to 1000, or an address, tcp://…")
    return dask
