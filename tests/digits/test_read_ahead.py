"""Reading ahead: the order is kept, errors stand in their place, nothing runs on afterwards."""

from collections.abc import Generator

import pytest

from tasks.digits.read_ahead import read_ahead


def numbers(made: list[int], fail_at: int | None = None) -> Generator[int]:
    """Yield 0 to 99, noting each, and -1 when closed; fail in place of one of them."""
    try:
        for number in range(100):
            if number == fail_at:
                raise ValueError(number)
            made.append(number)
            yield number
    finally:
        made.append(-1)


def test_items_come_in_order_and_once() -> None:
    """Reading ahead changes when an item is made, not what comes out."""
    assert list(read_ahead(numbers([]), 4)) == list(range(100))


def test_no_more_than_the_depth_is_made_ahead() -> None:
    """A slow consumer does not make the reader fill the memory."""
    made: list[int] = []
    ahead = read_ahead(numbers(made), 4)
    assert next(ahead) == 0
    ahead.close()
    assert made[-1] == -1
    assert len(made) <= 1 + 4 + 1


def test_an_error_comes_after_the_items_before_it() -> None:
    """What was read before an error is handed out first, and the generator is closed."""
    made: list[int] = []
    ahead = read_ahead(numbers(made, fail_at=7), 4)
    assert [next(ahead) for _ in range(7)] == list(range(7))
    with pytest.raises(ValueError, match="7"):
        next(ahead)
    assert made[-1] == -1
