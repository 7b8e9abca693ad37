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


def is_cluster(dask: str) -> bool:
    """Whether the text is a number of workers from 1 to 1000, or the address of a scheduler."""
    return bool(re.fullmatch(r"[1-9]\d{0,2}|1000|(tcp|tls|ws|wss)://\S+", dask))
