"""The third stage: a network trained on the training split or on a part of it."""

from threading import Lock
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict

from network.weights import dump_weights
from tasks.cache.key import NotInKey
from tasks.cache.stage import stage
from tasks.cache.store import Store, StoredFile
from tasks.digits.mapped_images import mapped_digits
from tasks.digits.table import read_info
from tasks.training.checkpoint import Checkpoint
from tasks.training.dask_cluster import DaskCluster
from tasks.training.dask_workers import dask_workers
from tasks.training.first_weights import InitialNetwork
from tasks.training.progress import progress
from tasks.training.settings import TrainingSettings

if TYPE_CHECKING:
    from numpy import ndarray
    from pandas import DataFrame

# In a process, such as a Dask worker of many threads: the number of threads of the matrix library
# is the process's, and the bits of a product depend on it.
_ONE_AT_A_TIME = Lock()


class Trained(BaseModel):
    """A trained network and the cost of every epoch."""

    model_config = ConfigDict(frozen=True)

    weights: StoredFile
    history: StoredFile
    activation: str

    @classmethod
    def keep(
        cls, store: Store, weights: "list[ndarray]", history: "DataFrame", activation: str
    ) -> Self:
        """Store a network that was trained: its weights, one row an epoch, and its activation."""
        with store.scratch() as scratch:
            (scratch / "weights.pkl").write_bytes(dump_weights(weights))
            history.to_parquet(scratch / "history.parquet")
            return cls(
                weights=store.keep(scratch / "weights.pkl"),
                history=store.keep(scratch / "history.parquet"),
                activation=activation,
            )


@stage
def train(
    store: Store,
    train: StoredFile,
    training: TrainingSettings,
    seed: int,
    initial: InitialNetwork | None,
    cluster: NotInKey[DaskCluster] | None = None,
    member: int | None = None,
) -> Trained:
    """Train a network, alone or as one of an ensemble, showing the cost as it goes.

    Args:
        store: where the files are.
        train: the training split.
        training: the network's shape and how to train it.
        seed: decides initial weights, batches and distortions.
        initial: the network to start from; None starts from random weights.
        cluster: where partitions are computed; None is in this process.
        member: which network of an ensemble, from 1; None for the first, which is also the only
            one where there is no ensemble.

    Raises:
        DataError: a validation part is asked for that leaves too few digits.
        InputError: the initial network has other inputs or hidden layers.
        WeightsError: the initial network's file changed, or is not a list of weight matrices.
        MemoryError: the network is too large for this machine.
        DivergenceError: the cost became infinite or not a number.
        WorkerError: workers can't be reached, or were lost again and again.
    """
    # pandas is slow to import, and not needed where the stored result is reused.
    from tasks.training.ensemble import member_rng
    from tasks.training.fit import fit, trained_on

    pretrained = initial.load(member or 0) if initial else None
    parquet, dask = store.path(train), cluster.value if cluster else None
    # Workers read what is trained on themselves.
    first = trained_on(read_info(parquet).rows, training.validation_fraction) if dask else 0
    with (
        _ONE_AT_A_TIME,
        mapped_digits(parquet, store.files, first) as digits,
        dask_workers(dask, parquet) as workers,
        progress(training.epochs) as show,
    ):
        rng = member_rng(seed, member or 0)
        weights, history = fit(digits, training, rng, show, _checkpoint(store), pretrained, workers)
    return Trained.keep(store, weights, history, training.activation)


def _checkpoint(store: Store) -> Checkpoint | None:
    """Return where this task run's training keeps its state; None for a plain call."""
    from prefect.transactions import get_transaction  # here: a plan needs no Prefect

    transaction = get_transaction()
    key = transaction.key if transaction else None
    return Checkpoint(store.checkpoint(key)) if key else None
