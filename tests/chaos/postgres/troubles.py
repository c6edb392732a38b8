"""What was wrong with the server or the way to it, from when to when, and for whom."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

EVERYBODY: Final = frozenset[str]()


@dataclass
class Trouble:
    """Something that was wrong for a while. Times in seconds of the monotonic clock."""

    name: str
    slots: frozenset[str]
    """The places whose processes had it; empty: all."""
    began: float
    ended: float = math.inf

    def concerns(self, slot: str) -> bool:
        """Whether the processes of a place had it."""
        return not self.slots or slot in self.slots

    def overlaps(self, since: float, until: float) -> bool:
        """Whether it was there at any time between two times."""
        return self.began <= until and self.ended >= since


class Troubles:
    """All troubles of a campaign."""

    def __init__(self) -> None:
        self.all: list[Trouble] = []

    @contextmanager
    def lasting(self, name: str, slots: Collection[str] = EVERYBODY) -> Generator[Trouble]:
        """Around what is done: it begins before, and has ended after."""
        trouble = Trouble(name, frozenset(slots), time.monotonic())
        self.all.append(trouble)
        try:
            yield trouble
        finally:
            trouble.ended = time.monotonic()

    def since(self, at: float) -> bool:
        """Whether there was any since a time, or is now."""
        return any(each.ended >= at for each in self.all)


def end_of(troubles: Sequence[Trouble], slot: str, since: float, until: float) -> float:
    """When the last of the troubles ended that a place had between two times; `since` where there was none."""
    ends = [each.ended for each in troubles if each.concerns(slot) and each.overlaps(since, until)]
    return max([since, *ends])
