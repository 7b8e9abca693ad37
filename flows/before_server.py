"""What a command that trains makes sure of before it starts a server.

A wrong path or format is so reported at once.
"""

from collections.abc import Iterable

from flows.dask_cluster import check_dask
from flows.options import say_whose_digits
from flows.settings import TrainingFlowSettings
from tasks.digits.csv_layout import check_csv
from tasks.runs.shared_runs import update_runs
from tasks.training.initial_network import find_initial_network
from tasks.training.settings import TrainingSettings


def check_before_server(
    settings: TrainingFlowSettings, trainings: Iterable[TrainingSettings]
) -> None:
    """Refuse files that can't be used, and a cluster without its extra; say whose digits these are.

    Args:
        settings: of the command.
        trainings: each that it will do.

    Raises:
        InputError: an initial network does not fit, or the extra for Dask is not installed.
        DataError: the CSV is missing, or its first lines are not as the settings say.
    """
    update_runs(settings.artifacts)
    given, artifacts, classes = settings.initial_weights, settings.artifacts, settings.data.classes
    for training in trainings:
        find_initial_network(given, artifacts, training, classes)
    check_csv(settings.csv, settings.data)
    check_dask(settings.dask)
    say_whose_digits(settings.csv)
