"""New variants of the training images for every epoch, made while the last one is trained on."""

import copy
from collections.abc import Callable
from concurrent.futures import Executor, Future

import numpy as np

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # images in and out, same shape


class AugmentedImages:
    """The variants of each epoch; those of the next are made on another thread.

    An epoch's generator is seeded with one draw of `rng`. To make variants ahead, that draw is made
    from a copy, so that `rng` after an epoch is the same whether or not there is a next one.

    Args:
        images: (examples, inputs), left as they are.
        augment: returns variants of the images, given a generator.
        rng: seeds the epochs' generators.
        threads: where the next epoch's variants are made.
    """

    def __init__(
        self, images: np.ndarray, augment: Augment, rng: np.random.Generator, threads: Executor
    ) -> None:
        self._images, self._augment, self._rng, self._threads = images, augment, rng, threads
        self._ahead: Future[np.ndarray] | None = None

    def draw(self) -> np.ndarray:
        """Return the variants of the next epoch, with one draw of `rng`."""
        generator = _child(self._rng)
        return self._ahead.result() if self._ahead else self._augment(self._images, generator)

    def draw_ahead(self) -> None:
        """Begin to make what the next `draw` returns; `rng` must not be used in between."""
        generator = _child(copy.deepcopy(self._rng))
        self._ahead = self._threads.submit(self._augment, self._images, generator)


def _child(rng: np.random.Generator) -> np.random.Generator:
    return np.random.default_rng(rng.integers(2**63))
