"""The verb by which a store says what stands before a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from ferryman.domain.explain import AHEAD_MOST, Held
from ferryman.store.gating import KeyStatus

HOLDERS_SHOWN: Final = 5
"""Of the jobs that have been processing longest under a limit."""
__all__ = ["AHEAD_MOST", "HOLDERS_SHOWN", "Explaining", "Held", "Whereabouts"]


class Whereabouts(msgspec.Struct, frozen=True):
    """What stands before a job."""

    ahead: int
    """How many pending jobs of its queue come first, by priority, then arrival; at most `AHEAD_MOST` + 1."""
    limits: Sequence[Held]
    """The limits that it is under."""
    key: KeyStatus | None = None
    """Its key, as long as that is in use."""


class Explaining(Protocol):
    """A part of `Store`."""

    async def whereabouts(self, id: str) -> Whereabouts | None:
        """What stands before a job; None if there is none. Nothing is ahead of one that is not pending."""
        ...
