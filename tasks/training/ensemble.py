"""The networks of an ensemble: each learns from random numbers of its own, then all are merged."""

from collections.abc import Sequence

import pandas as pd
from numpy import ndarray
from numpy.random import Generator, default_rng

from network.ensemble import merge


def member_rng(seed: int, member: int = 0) -> Generator:
    """Return what decides a network's initial weights, batches and distortions.

    Args:
        seed: the run's.
        member: which network of an ensemble, from 0; the first is also the one that is trained
            where there is no other.
    """
    return default_rng([seed, 1 + member])  # the split has 0: streams of their own


def merge_members(
    weights: Sequence[list[ndarray]], histories: Sequence[pd.DataFrame]
) -> tuple[list[ndarray], pd.DataFrame]:
    """Merge networks into one, which errs where most of them do.

    Returns:
        Its weights; and a history, the mean of the members that reached each epoch.
    """
    return merge(weights), pd.concat(histories).groupby("epoch", as_index=False).mean()
