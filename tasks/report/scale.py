"""A chart's axis: where on it a value lies, and which round values are marked."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

_ROUND_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """A straight line from values to places in a picture.

    Attributes:
        low: the value at `start`.
        high: the value at `end`, more than `low`.
        start: a place, in the picture's own units.
        end: another, which may be less, as y counts downwards.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return a value's place, to a tenth of a unit."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def percent_ticks(self, most: int) -> Iterator[tuple[float, str]]:
        """Yield place and text of round values from low to high, as percentages.

        Args:
            most: so many steps at most, which are 1, 2, 2.5 or 5 times a power of ten.
        """
        power = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        step = next(
            power * factor
            for factor in _ROUND_STEPS
            if (self.high - self.low) / (power * factor) <= most + 1e-9
        )
        # 2.5 % has a digit more than its power of ten, 10 %.
        decimals = next(digits for digits in range(20) if _is_whole(100 * step * 10**digits))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        for number in range(first, last + 1):
            value = number * step
            yield self(value), f"{100 * value:.{decimals}f} %"


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6 * abs(number)
