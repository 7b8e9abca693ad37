"""Training images altered anew for every epoch, prepared while the network trains on the last."""

import copy
from collections.abc import Callable
from concurrent.futures import Executor, Future

import numpy as np

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # images in and out, same shape


class AlteredImages:
    """The images of each epoch, altered; those of the next are prepared on another thread.

    An epoch's generator comes from one draw of `rng`. To prepare ahead, that draw is made from a
    copy, so that `rng` after an epoch is the same whether or not there has been a next one.

    Args:
        images: (examples, inputs), left as they are.
        augment: alters them, given a generator.
        rng: what the epochs' generators are drawn from.
        threads: where the next epoch's images are prepared.
    """

    def __init__(
        self, images: np.ndarray, augment: Augment, rng: np.random.Generator, threads: Executor
    ) -> None:
        self._images, self._augment, self._rng, self._threads = images, augment, rng, threads
        self._ahead: Future[np.ndarray] | None = None

    def draw(self) -> np.ndarray:
        """Return the images of the next epoch, from this one draw of `rng` on."""
        generator = _child(self._rng)
        return self._ahead.result() if self._ahead else self._augment(self._images, generator)

    def draw_ahead(self) -> None:
        """Begin with the images that the next `draw` will return, if `rng` is not used before."""
        generator = _child(copy.deepcopy(self._rng))
        self._ahead = self._threads.submit(self._augment, self._images, generator)


def _child(rng: np.random.Generator) -> np.random.Generator:
    return np.random.default_rng(rng.integers(2**63))
