"""Reading and working at the same time: a second thread reads what comes next."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def read_ahead(items: Generator[T], depth: int) -> Generator[T]:
    """Yield the items of a generator in order, while a thread makes the next ones.

    An error of the generator is raised in its place among the items.

    Args:
        items: never None; closed at the end, also if the caller stops early.
        depth: how many are made ahead, at most.
    """
    with closing(items), ThreadPoolExecutor(1) as thread:
        coming = deque(thread.submit(next, items, None) for _ in range(depth))
        try:
            while (item := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, items, None))
                yield item
        finally:
            for future in coming:
                future.cancel()
