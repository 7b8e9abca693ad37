"""What a flow that trains makes sure of before it begins, wherever its settings are from."""

from flows.dask_cluster import check_dask
from flows.deployed_run import check_deployed_dask, check_deployed_run
from flows.settings import TrainingFlowSettings


def check_before_training(settings: TrainingFlowSettings) -> None:
    """Refuse files and clusters that this run may not use, and a cluster that it can't.

    Raises:
        InputError: it is a deployment's, and a path, a URL or a cluster is none that it may use;
            or the extra for Dask is not installed.
    """
    check_deployed_run(**settings.files)
    check_deployed_dask(settings.dask)
    check_dask(settings.dask)
