"""Training as a flow does it: one network, or several side by side that are merged into one."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tasks.cache.key import NotInKey
from tasks.cache.store import StoredFile
from tasks.merge import merge
from tasks.runs.plan import Plan
from tasks.train import Trained, train
from tasks.training.dask_cluster import DaskCluster
from tasks.training.first_weights import InitialNetwork
from tasks.training.progress import progress_of_several
from tasks.training.settings import TrainingSettings

if TYPE_CHECKING:
    from tasks.runs.run import Run


def train_network(
    run: "Run | Plan",
    split: StoredFile,
    training: TrainingSettings,
    seed: int,
    initial: InitialNetwork | None,
    cluster: NotInKey[DaskCluster] | None,
) -> Trained:
    """Call `train`, or for an ensemble call it for each member and then `merge`."""
    if training.members == 1:
        return train(run, split, _alone(training), seed, initial, cluster)
    calls = calls_of_members(split, training, seed, initial, cluster)
    members = run.perform_all(train, calls, progress_of_several)
    return cast("Trained", merge_if_several(run, members))


def calls_of_members(
    split: StoredFile,
    training: TrainingSettings,
    seed: int,
    initial: InitialNetwork | None,
    cluster: NotInKey[DaskCluster] | None = None,
) -> list[Mapping[str, Any]]:
    """Return the arguments of `train` for each member of an ensemble, or for the one network.

    The number of members is in none, so that an ensemble that grows trains only the new ones.
    """
    alone = _alone(training)
    start = initial and initial.from_anywhere
    return [
        train.arguments(split, alone, seed, start, cluster, member or None)
        for member in range(training.members)
    ]


def _alone(training: TrainingSettings) -> TrainingSettings:
    """Return the settings of one network, without those that no training depends on."""
    return training.model_copy(update={"members": 1, "average_shifts": False})


def merge_if_several(
    run: "Run | Plan", members: Sequence[Trained | Exception]
) -> Trained | Exception:
    """Merge the networks of an ensemble; one is left as it is, and so is a member's error."""
    if errors := [each for each in members if isinstance(each, Exception)]:
        return errors[0]
    trained = cast("tuple[Trained, ...]", tuple(members))
    return merge(run, trained) if len(trained) > 1 else trained[0]
