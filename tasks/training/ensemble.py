"""Training several networks and merging them into one, which errs where most of them do."""

import pandas as pd
from numpy import ndarray
from numpy.random import default_rng

from network.ensemble import merge
from tasks.digits.mapped_images import MappedDigits
from tasks.digits.table import Digits
from tasks.training.checkpoint import Checkpoint
from tasks.training.first_weights import Pretrained
from tasks.training.fit import fit
from tasks.training.partitions import Workers
from tasks.training.progress import Show
from tasks.training.settings import TrainingSettings


def fit_members(
    digits: Digits | MappedDigits,
    training: TrainingSettings,
    seed: int,
    show: Show,
    checkpoint: Checkpoint | None = None,
    pretrained: Pretrained | None = None,
    workers: Workers | None = None,
) -> tuple[list[ndarray], pd.DataFrame]:
    """Train the members of an ensemble one after another; one member is a single network.

    Epochs are shown as those of one long training. After an interruption, a member whose training
    was complete is not trained again.

    Args:
        digits: the training split, in shuffled order.
        training: the shape of each network and how to train it.
        seed: decides initial weights, batches and distortions, different ones for each member.
        show: called with the number and cost of each epoch.
        checkpoint: where the state is kept, and an interrupted training's found.
        pretrained: the network that all members start from; None starts from random weights.
        workers: where partitions are computed, as of `fit`.

    Returns:
        The weights of the members merged into one network, those of the member if there is one;
        and the history as `fit` returns it, the mean of the members that reached each epoch.

    Raises:
        DataError: as `fit`, and so are the other errors.
    """
    members, histories = [], []
    for number in range(training.members):

        def show_member(epoch: int, cost: float, before: int = number * training.epochs) -> None:
            show(before + epoch, cost)

        weights, history = fit(
            digits,
            training,
            default_rng([seed, 1 + number]),  # the split has 0: streams of their own
            show_member,
            checkpoint.of_member(number) if checkpoint else None,
            pretrained,
            workers,
        )
        members.append(weights)
        histories.append(history)
    return merge(members), pd.concat(histories).groupby("epoch", as_index=False).mean()
