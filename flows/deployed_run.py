"""What a run of a deployment must not do: use any file or cluster, or show a file's contents.

Anyone who may start such a run chooses its parameters and reads its errors. At the command line
both are the user's own.
"""

import os
from pathlib import Path

from prefect.context import FlowRunContext
from prefect.runtime import deployment

from flows.shipped import working_folders
from tasks.errors import HIDE_CONTENTS, InputError
from tasks.remote.mirror import url_of

URLS = "DIGITS_URLS"  # environment variable of the worker: URLs of artifacts, or their beginnings
FOLDERS = "DIGITS_FOLDERS"  # environment variable of the worker: further folders, separated by `:`

CLUSTER = "DIGITS_DASK"  # environment variable of the worker: the address of a Dask cluster


def check_deployed_run(**files: Path | str | None) -> None:
    """Refuse files that a run of a deployment may not name; from then on, errors show no contents.

    Args:
        files: paths of the parameters, by setting; anything else, such as a run's name, counts as a
            path in the working directory, and None as no file.

    Raises:
        InputError: a path leads out of the project's folder and of those in `DIGITS_FOLDERS`, or a
            URL is not among those in `DIGITS_URLS`.
    """
    if not _is_deployed():
        return
    os.environ[HIDE_CONTENTS] = "1"
    urls = os.environ.get(URLS, "").split()
    given = os.environ.get(FOLDERS, "").split(os.pathsep)
    folders = [*working_folders(), *(Path(each).resolve() for each in given if each)]
    for setting, file in files.items():
        if url := url_of(Path(file or folders[0])):
            if not any(f"{url}/".startswith(f"{each.rstrip('/')}/") for each in urls):
                raise InputError(
                    f"`{setting}`: {url} is not among the URLs that a deployment may use. They are "
                    f"named, with spaces between them, in the environment variable {URLS} of the "
                    "worker."
                )
            continue
        path = Path(file or folders[0]).resolve()
        if not any(path.is_relative_to(folder) for folder in folders):
            raise InputError(
                f"`{setting}`: {file} is outside of the folders that a deployment may use: "
                f"{', '.join(map(str, folders))}. Others are named in the environment variable "
                f"{FOLDERS} of the worker."
            )


def check_deployed_dask(dask: str) -> None:
    """Refuse a Dask cluster that a run of a deployment may not use: what is sent there is executed.

    Args:
        dask: the setting: a number of workers to start, an address, or empty.

    Raises:
        InputError: it is an address, and not the one in `DIGITS_DASK`.
    """
    if _is_deployed() and not dask.isdigit() and dask not in ("", os.environ.get(CLUSTER)):
        raise InputError(
            f"`dask`: a deployment may not use the cluster {dask}. The one it may use is named in "
            f"the environment variable {CLUSTER} of the worker; a number of workers is allowed."
        )


def _is_deployed() -> bool:
    """Whether this run is a deployment's, or was called by one."""
    context = FlowRunContext.get()
    run = context and context.flow_run
    # `deployment.id` would ask the server, even of a run that nothing deployed or called.
    called_by_hand = run and not (run.deployment_id or run.parent_task_run_id)
    return not called_by_hand and bool(deployment.id)
