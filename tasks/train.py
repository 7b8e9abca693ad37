"""The third stage: a network is trained on the training split, or on a part of it."""

from prefect.transactions import get_transaction
from pydantic import BaseModel, ConfigDict

from network.weights import dump_weights
from tasks.checkpoint import Checkpoint
from tasks.digit_table import read_digits
from tasks.fitting import fit
from tasks.progress import progress
from tasks.settings import TrainingSettings
from tasks.stage import stage
from tasks.store import Store, StoredFile


class Trained(BaseModel):
    """A trained network and the cost of every epoch."""

    model_config = ConfigDict(frozen=True)

    weights: StoredFile
    history: StoredFile
    activation: str


@stage(
    "tasks/train.py",
    "tasks/checkpoint.py",
    "tasks/digit_table.py",
    "tasks/fitting.py",
    "tasks/images.py",
    "tasks/memory.py",
    "tasks/validation.py",
    "network",
)
def train(store: Store, train: StoredFile, training: TrainingSettings, seed: int) -> Trained:
    """Train a network, showing the cost as it goes.

    Raises:
        DataError: a validation part is asked for that leaves too few digits.
        MemoryError: the network is too large for this machine.
        DivergenceError: the cost became infinite or not a number.
    """
    digits = read_digits(store.path(train))
    with progress(training.epochs) as show:
        weights, history = fit(digits, training, seed, show, _checkpoint(store))
    with store.scratch() as scratch:
        (scratch / "weights.pkl").write_bytes(dump_weights(weights))
        history.to_parquet(scratch / "history.parquet")
        return Trained(
            weights=store.keep(scratch / "weights.pkl"),
            history=store.keep(scratch / "history.parquet"),
            activation=training.activation,
        )


def _checkpoint(store: Store) -> Checkpoint | None:
    """Return where this task run's training keeps its state; None for a plain call."""
    transaction = get_transaction()
    key = transaction.key if transaction else None
    return Checkpoint(store.checkpoint(key)) if key else None
