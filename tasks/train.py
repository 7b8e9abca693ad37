"""The third stage: a network, or several, trained on the training split or on a part of it."""

from numpy import ndarray
from prefect.transactions import get_transaction
from pydantic import BaseModel, ConfigDict

from network.weights import dump_weights, load_weights
from tasks.cache.stage import stage
from tasks.cache.store import SourceFile, Store, StoredFile
from tasks.digits.table import read_digits
from tasks.errors import InputError
from tasks.training.checkpoint import Checkpoint
from tasks.training.ensemble import fit_members
from tasks.training.first_weights import Pretrained
from tasks.training.progress import progress
from tasks.training.settings import TrainingSettings


class Trained(BaseModel):
    """A trained network and the cost of every epoch."""

    model_config = ConfigDict(frozen=True)

    weights: StoredFile
    history: StoredFile
    activation: str


@stage
def train(
    store: Store,
    train: StoredFile,
    training: TrainingSettings,
    seed: int,
    initial: SourceFile | None,
    new_outputs: bool = False,
) -> Trained:
    """Train a network, or an ensemble as one, showing the cost as it goes.

    Args:
        store: where the files are.
        train: the training split.
        training: the network's shape and how to train it.
        seed: decides initial weights, batches and distortions.
        initial: weights of a network to start from; None starts anew.
        new_outputs: start the last layer anew in any case, because its outputs stand for other
            labels.

    Raises:
        DataError: a validation part is asked for that leaves too few digits.
        InputError: the initial weights are of a network with other inputs or hidden layers, or
            have changed.
        WeightsError: the initial weights are not a list of weight matrices.
        MemoryError: the network is too large for this machine.
        DivergenceError: the cost became infinite or not a number.
    """
    digits = read_digits(store.path(train))
    pretrained = Pretrained(_unchanged(initial), new_outputs) if initial else None
    with progress(training.members * training.epochs) as show:
        weights, history = fit_members(digits, training, seed, show, _checkpoint(store), pretrained)
    with store.scratch() as scratch:
        (scratch / "weights.pkl").write_bytes(dump_weights(weights))
        history.to_parquet(scratch / "history.parquet")
        return Trained(
            weights=store.keep(scratch / "weights.pkl"),
            history=store.keep(scratch / "history.parquet"),
            activation=training.activation,
        )


def _unchanged(initial: SourceFile) -> list[ndarray]:
    """Return the initial weights, of which the stage's key already holds the digest."""
    weights = load_weights(initial.path)
    if SourceFile.of(initial.path) != initial:
        raise InputError(f"{initial.path}: changed since the run began. Start it again.")
    return weights


def _checkpoint(store: Store) -> Checkpoint | None:
    """Return where this task run's training keeps its state; None for a plain call."""
    transaction = get_transaction()
    key = transaction.key if transaction else None
    return Checkpoint(store.checkpoint(key)) if key else None
