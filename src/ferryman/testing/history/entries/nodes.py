"""What nodes note: what they asked of the store, and what it answered or did."""

from __future__ import annotations

from typing import Literal

import msgspec

from ferryman.testing.history.entries.entry import Entry, RunKey


class Registered(Entry, frozen=True, kw_only=True):
    """A process has a live node under this id; `number` is the store's name for it."""

    node: str
    number: int


class ClaimedRun(msgspec.Struct, frozen=True, gc=False):
    """One job of a claim."""

    job: str
    number: int
    attempt: int
    max_attempts: int
    crashes: int


class WrittenRun(msgspec.Struct, frozen=True, gc=False):
    """One outcome that a node wants written."""

    job: str
    number: int
    what: str
    status: str
    token: int


class Claiming(Entry, frozen=True, kw_only=True):
    """A node asks for jobs."""

    call: int
    """Joins what belongs to one call of the store."""
    node: int
    batch: int
    idle: int
    limit: int = 0
    """For how many at most; 0 where nobody noted it."""


class Claimed(Entry, frozen=True, kw_only=True):
    """The claim takes effect. One that gives nothing is not noted, nor is its asking."""

    call: int
    node: int
    batch: int
    runs: list[ClaimedRun]
    claimed_at: int = 0
    """The time in the claim row, by the clock of whoever writes it; 0 where nobody noted it."""


class Passed(Entry, frozen=True, kw_only=True):
    """A claim has gone past transactions that are in progress still, and whose jobs will stand behind it; takes effect.
    Only in exact histories, of stores whose transactions overlap, as the next two."""

    node: int
    batch: int
    running: int


class Found(Entry, frozen=True, kw_only=True):
    """A claim has taken jobs before which its node had looked in vain: of a transaction that was in progress then
    (a gap), or such that only a look from the beginning finds (a rescan); takes effect."""

    node: int
    batch: int
    jobs: list[str]
    how: Literal["gap", "rescan"]


class Undone(Entry, frozen=True, kw_only=True):
    """What had taken jobs is rolled back. They are pending as before, but others may have passed them by."""

    jobs: list[str]


class Writing(Entry, frozen=True, kw_only=True):
    """A node asks to write outcomes."""

    call: int
    node: int
    runs: list[WrittenRun]


class Wrote(Entry, frozen=True, kw_only=True):
    """The write takes effect."""

    call: int
    node: int
    fenced: list[RunKey]
    cancelled: list[str]
    """Jobs that would have run again, but ended cancelled because somebody had asked for it."""


class Committed(Entry, frozen=True, kw_only=True):
    """A handler's transaction is committed, and with it the completion of its run; takes effect. Only in exact
    histories."""

    node: int
    job: str
    number: int


class Released(Entry, frozen=True, kw_only=True):
    """A whole claim whose answer was lost is given back; takes effect."""

    node: int
    batch: int
    count: int


class Inserted(Entry, frozen=True, kw_only=True):
    """Jobs that a store took in; takes effect. Only in exact histories."""

    jobs: list[str]


class CancelTook(Entry, frozen=True, kw_only=True):
    """A cancel takes effect; `asked` is the place at which it was asked for. Only in exact histories."""

    asked: int
    job: str
    before: str


class PromoteTook(Entry, frozen=True, kw_only=True):
    """Due jobs became pending; takes effect. Only in exact histories."""

    asked: int
    count: int


class Replied(Entry, frozen=True, kw_only=True):
    """The answer of a `Claiming` or `Writing` reaches the node; where this is missing, the answer was lost."""

    call: int


class Rescued(Entry, frozen=True, kw_only=True):
    """A node was found dead, and its claims were given back; takes effect."""

    node: str
    count: int
