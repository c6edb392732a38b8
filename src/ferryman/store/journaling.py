"""The verb by which a store tells what has happened to its jobs.

The journal is written while somebody may be listening, in the commit of each change: that a job was stored, and each
outcome. Whoever reads it says so to the store by that, and all processes write it down for a quarter of an hour more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from ferryman.domain.job import MICROS, Lane
from ferryman.domain.state import Status

CREATED: Final = "created"
"""What has happened to a job that was stored. All else is called as its outcome is: see `domain.outcome.What`."""
TOLD: Final = (Status.PENDING, Status.SCHEDULED, Status.COMPLETED, Status.FAILED, Status.CANCELLED)
"""Where a change can lead. A job that waits for its key is told of as pending: all that it lacks is its turn."""
KEPT: Final = 600 * MICROS
"""For so long the journal keeps a change."""
LISTENED: Final = KEPT + 300 * MICROS
"""For so long after somebody has read it the journal is written."""
RENEWED: Final = 60 * MICROS
"""Who reads it again within such a time need not say so."""
PAGE: Final = 1000
_TAG: Final = re.compile("([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,9})", re.ASCII)


class Position(NamedTuple):
    """Up to where the journal has been told. Of two positions of the same time without a gap the later one is greater.

    The numbers are the store's own affair.
    """

    since: int
    """From when on the journal has been written without a gap."""
    telling: int
    place: int
    offset: int

    @property
    def tag(self) -> str:
        """The position as a short text without spaces and quotes."""
        return "-".join(map(str, self))


def position_of(tag: str) -> Position | None:
    """The position of a tag; None for a text that is none."""
    found = _TAG.fullmatch(tag)
    return None if found is None else Position(*map(int, found.groups()))


class Change(msgspec.Struct, frozen=True, gc=False):
    """Something that has happened to a job, and has committed."""

    position: Position
    """Up to and including this change."""
    at: int
    """When, by the clock of who wrote it, in microseconds."""
    id: str
    lane: Lane
    claim: int
    """The claim number of the run that has ended, or that a cancel or a retry has taken; 0 for a new job."""
    what: str
    status: Status
    """Where it has led, one of `TOLD`."""


class Told(NamedTuple):
    """A page of the journal."""

    changes: Sequence[Change]
    next: Position
    """Where to read on."""
    more: bool = False
    """Whether there is more to read at once."""
    gap: bool = False
    """Whether what came after the position asked for is not known any more: then nothing is told, and `next` is now."""


class Journaling(Protocol):
    """A part of `Store`."""

    async def journal(self, after: Position | None, now: int, limit: int = PAGE) -> Told:
        """Changes after a position, at most so many; no change of a job comes before an earlier one of it.

        Each change that commits is told exactly once to whoever reads on from where the last page has ended, or from
        the position of one of its changes, as long as that is not older than `KEPT`. Without a position nothing is
        told, but where to begin: what is asked of the store from then on is told.
        """
        ...


def attendance(since: int, until: int, now: int) -> tuple[int, int] | None:
    """From when and until when somebody listens, by somebody who does so now; None: that is known well enough.

    Clocks of several processes may differ: where there is little time left, one of them may have stopped to write.
    """
    if until >= now + LISTENED - RENEWED:
        return None
    return since if until >= now + LISTENED - KEPT else now, now + LISTENED
