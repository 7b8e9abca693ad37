"""The examples of an epoch as the network takes them: block by block, in the order of the batches.

Memory holds a few blocks, however many examples there are. The next ones are made on other threads
while the network trains on this one.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial
from itertools import cycle, islice

import numpy as np

from network.epoch_plan import EpochPlan
from network.examples import Examples

_MOST_ROWS = 4096
_MOST_NUMBERS = 1 << 24  # in the widest layer of a block's rows
_IN_CACHE = 256  # rows that are scaled at a time
_CACHED_NUMBERS = 1 << 18  # that a core's cache keeps, 1 MB in float32


@dataclass(frozen=True)
class Block:
    """Some examples, ready for back propagation.

    Attributes:
        inputs: (examples, inputs + 1) floats, about 0 … 1; column 0 is all ones and meets the bias.
        targets: (outputs, examples), of the same number type.
    """

    inputs: np.ndarray
    targets: np.ndarray


def rows_in_block(sizes: Sequence[int]) -> int:
    """Return how many examples a block has at most: fewer for a wide network.

    Args:
        sizes: inputs, neurons of each hidden layer, outputs.
    """
    return max(1, min(_MOST_ROWS, _MOST_NUMBERS // max(sizes)))


def rows_in_cache(rows: int, batch_size: int, inputs: int) -> int:
    """Return how many examples a block has that is still in the cache when the network takes it.

    Args:
        rows: the most that a block may have.
        batch_size: examples in a batch at most; a block has whole batches, one or more.
        inputs: of an example.
    """
    batches = min(rows, _CACHED_NUMBERS // inputs) // batch_size
    return min(rows, max(1, batches) * batch_size)


def blocks(
    examples: Examples,
    plans: Iterable[EpochPlan],
    rows: int,
    dtype: np.dtype,
    executor: Executor,
    ahead: int,
) -> Iterator[Block]:
    """Yield the blocks of all epochs.

    Args:
        examples: where they come from.
        plans: each epoch's order of the examples, and its seed of the variants.
        rows: of a block; an epoch's last has what is left.
        dtype: number type of the network.
        executor: where blocks are made.
        ahead: how many are made before they are asked for.
    """
    inputs = 1 + examples.images.shape[1]
    rows = min(rows, len(examples))
    # One block is in use and the others are made meanwhile: a place is free when its turn comes
    # again, and still in the processor's cache, as new memory would not be.
    places = cycle(np.empty((ahead + 1, rows, inputs), dtype))
    # Where one block is all, and the same in every epoch, it is made once.
    everything = cache(lambda: _block(examples, np.arange(rows), next(places), None))

    def jobs() -> Iterator[Callable[[], Block]]:
        for plan in plans:
            if len(examples) <= rows and plan.order is None and plan.seed is None:
                yield everything
                continue
            order = np.arange(len(examples)) if plan.order is None else plan.order
            for number, start in enumerate(range(0, len(order), rows)):
                some = order[start : start + rows]
                place = next(places)[: len(some)]
                yield partial(_block, examples, some, place, plan.variants(number))

    return _made_ahead(jobs(), executor, ahead)


def _made_ahead(
    jobs: Iterator[Callable[[], Block]], executor: Executor, ahead: int
) -> Generator[Block, None, None]:
    if ahead == 0:
        yield from (job() for job in jobs)
        return
    waiting = deque(executor.submit(job) for job in islice(jobs, ahead))
    while waiting:
        block = waiting.popleft().result()
        waiting.extend(executor.submit(job) for job in islice(jobs, 1))
        yield block


def _block(
    examples: Examples,
    rows: np.ndarray,
    inputs: np.ndarray,
    rng: np.random.Generator | None,
) -> Block:
    """Return the examples of some rows, in this order; their variants if there is a generator.

    Args:
        examples: where they come from.
        rows: which.
        inputs: place for them, (rows, inputs + 1).
        rng: of the variants.
    """
    dtype = inputs.dtype
    targets = np.ascontiguousarray(examples.targets[rows].T, dtype)
    inputs[:, 0] = 1
    if rng is not None and examples.augment is not None:
        # The variant of an image does not depend on the order of the batches.
        by_row = np.argsort(rows)
        inputs[by_row, 1:] = examples.augment(examples.scaled(rows[by_row], dtype), rng)
        return Block(inputs, targets)
    for start in range(0, len(rows), _IN_CACHE):
        some = slice(start, start + _IN_CACHE)
        np.divide(
            examples.images[rows[some]], examples.pixel_max, out=inputs[some, 1:], dtype=dtype
        )
    return Block(inputs, targets)
