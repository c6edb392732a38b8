"""What those note who run the processes, and inject faults."""

from __future__ import annotations

from typing import Final, Literal

from ferryman.testing.history.entries.entry import Entry

IN_FLIGHT: Final = ("accepting", "claimed", "running", "in transaction", "flushing")
"""What can be under way in a node at the moment of its death."""
IN_A_TRANSACTION: Final = "in a handler's transaction"
"""The same, where a handler's own transaction was open; a process need not know that of itself."""


class Spawned(Entry, frozen=True, kw_only=True):
    """A process begins. Its name is never used again."""

    process: str


class Killed(Entry, frozen=True, kw_only=True):
    """A process ends without a word."""

    process: str
    during: str | None = None
    """What it was doing, where that is known: one of `IN_FLIGHT`, or `IN_A_TRANSACTION`."""


class Stopping(Entry, frozen=True, kw_only=True):
    """A process is asked to stop."""

    process: str


class Stopped(Entry, frozen=True, kw_only=True):
    """It has stopped by itself, and says how."""

    process: str
    code: int
    unwritten: int = 0
    """Outcomes that it says it could not write."""


class Paused(Entry, frozen=True, kw_only=True):
    """A process is frozen, all of it (SIGSTOP) or, with `loop_only`, its event loop."""

    process: str
    loop_only: bool = False


class Resumed(Entry, frozen=True, kw_only=True):
    """It goes on."""

    process: str


class Stepped(Entry, frozen=True, kw_only=True):
    """The wall clock is set forward or back; for one process, or for all if `process` is empty."""

    seconds: float
    process: str = ""


class Faulted(Entry, frozen=True, kw_only=True):
    """A call of the store is made to fail, before or after it took effect, or takes long, or loses its connection on
    the way: then it may take effect later, or never."""

    process: str
    verb: str
    kind: Literal["before", "after", "slow", "lost"]


class Restarted(Entry, frozen=True, kw_only=True):
    """The server of the store is gone for some seconds, and comes up again. All that was under way fails; some of it
    has been committed."""

    seconds: float


class ReadOnly(Entry, frozen=True, kw_only=True):
    """The server of the store fails over: the same, but for some seconds it can be read, and not written."""

    seconds: float


class Calm(Entry, frozen=True, kw_only=True):
    """From here on nothing is made to fail."""
