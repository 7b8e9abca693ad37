"""Training several networks and merging them into one, which errs where most of them do."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from network.ensemble import merge
from tasks.digits.table import Digits
from tasks.training.checkpoint import Checkpoint
from tasks.training.fit import fit
from tasks.training.progress import Show
from tasks.training.settings import TrainingSettings


def fit_members(
    digits: Digits,
    training: TrainingSettings,
    seed: int,
    show: Show,
    checkpoint: Checkpoint | None = None,
    initial: Sequence[np.ndarray] | None = None,
    new_outputs: bool = False,
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Train the members of an ensemble one after another; the arguments are those of `fit`.

    Epochs are shown as those of one long training. A member that is done is not trained again
    after an interruption.

    Returns:
        The weights of the members merged into one network, those of the member if there is one;
        and the history as `fit` returns it, the mean of the members that came to each epoch.
    """
    members, histories = [], []
    for number in range(training.members):

        def show_member(epoch: int, cost: float, before: int = number * training.epochs) -> None:
            show(before + epoch, cost)

        weights, history = fit(
            digits,
            training,
            seed,
            show_member,
            checkpoint.of_member(number) if checkpoint else None,
            initial,
            new_outputs,
            number,
        )
        members.append(weights)
        histories.append(history)
    return merge(members), pd.concat(histories).groupby("epoch", as_index=False).mean()
