"""What operators want of a node, and what a node says of how it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

RUNNING_MOST: Final = 100
"""Of how many of its runs a node tells, however many workers it has: what it says is written with each beat."""


class NodeWish(StrEnum):
    """What somebody wants a node to do."""

    QUIET = "quiet"
    """Claim no more, and go on with what it has."""
    RESUME = "resume"
    """Claim again."""
    STOP = "stop"
    """Stop in order, as SIGTERM has it do."""


class Wished(msgspec.Struct, frozen=True):
    """A wish, and when it was said: the same one said anew is another."""

    wish: NodeWish
    at: int


class RunningJob(msgspec.Struct, frozen=True):
    """A run that is under way at a node."""

    id: str
    claim: int
    """Its claim number."""
    worker_id: str
    started_at: int | None
    """When its handler was called; None before."""


class Condition(msgspec.Struct, frozen=True):
    """How a node is, as it said itself at one moment."""

    at: int
    rss_bytes: int | None
    """Memory in which its process resides, without its worker processes; None where the system does not say."""
    quiet: bool
    """Whether it claims no more."""
    busy: int
    """How many of its workers run a job."""
    running: tuple[RunningJob, ...] = ()
    """Some of these runs, `RUNNING_MOST` at most."""
