"""Whether something that was measured again and again grows: the last third of what was measured against the second."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

SHARE: Final = 0.1
"""By so much a median may be above the one before: garbage is collected when the engine likes."""
HOUR: Final = 3600.0


class Sample(NamedTuple):
    """One value, and the seconds at which it was measured."""

    at: float
    value: float


class Growth(NamedTuple):
    """How a series went on after its first third, which is for warming up."""

    second: float
    """The median of the second third."""
    last: float
    """The median of the last one."""
    slope: float
    """Of the straight line that lies best through both, by the hour."""
    slack: float
    """What it may grow by in any case, since small things cannot be even."""

    @property
    def grows(self) -> bool:
        """Whether the last third lies clearly above the second."""
        return self.last - self.second > max(self.slack, SHARE * self.second)


def growth(samples: Sequence[Sample], slack: float) -> Growth:
    """Judge a series of at least six samples, oldest first."""
    third = len(samples) // 3
    if third < 2:
        raise ValueError(f"{len(samples)} samples are too few to be judged")
    second, last = samples[third : 2 * third], samples[2 * third :]
    line = statistics.linear_regression(*zip(*(second + last), strict=True))  # type: ignore[operator]
    return Growth(_middle(second), _middle(last), line.slope * HOUR, slack)


def _middle(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.value for sample in samples)
