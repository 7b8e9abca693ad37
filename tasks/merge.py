"""The stage after the training of an ensemble: its networks merged into one."""

from network.weights import load_weights
from tasks.cache.stage import stage
from tasks.cache.store import Store
from tasks.train import Trained


@stage
def merge(store: Store, members: tuple[Trained, ...]) -> Trained:
    """Merge networks into one that averages their outputs.

    Args:
        store: where the files are.
        members: the networks, of one shape; two or more.
    """
    # pandas is slow to import, and not needed where the stored result is reused.
    import pandas as pd

    from tasks.training.ensemble import merge_members

    weights, history = merge_members(
        [load_weights(store.path(each.weights), each.weights.sha256) for each in members],
        [pd.read_parquet(store.path(each.history)) for each in members],
    )
    return Trained.keep(store, weights, history, members[0].activation)
