"""What is random in an epoch: the order of its examples, and the variants of their images."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class EpochPlan:
    """The draws of one epoch.

    Attributes:
        order: (examples,) row numbers in the order the batches take them; None is as they are.
        seed: of the variants; None without any.
        rng_state: of the training's generator after the draws.
    """

    order: np.ndarray | None
    seed: int | None
    rng_state: Any

    def variants(self, block: int) -> np.random.Generator | None:
        """Return the generator of a block's variants, a stream of its own; None without any."""
        if self.seed is None:
            return None
        return np.random.Generator(np.random.PCG64(self.seed).jumped(block))


def plan_epochs(
    rng: np.random.Generator, epochs: int, examples: int, *, shuffled: bool, augmented: bool
) -> Iterator[EpochPlan]:
    """Yield the draws of a number of epochs, made as they are asked for from a copy of `rng`.

    So they can be known ahead, and the training's own generator is set when an epoch is done.
    """
    rng = copy.deepcopy(rng)
    for _ in range(epochs):
        seed = int(rng.integers(2**63)) if augmented else None
        order = rng.permutation(examples) if shuffled else None
        yield EpochPlan(order, seed, rng.bit_generator.state)
