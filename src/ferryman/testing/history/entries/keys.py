"""What is noted of the keys of jobs: what people asked of their gates, and what took effect."""

from __future__ import annotations

from typing import Literal

from ferryman.domain.keys import GateRule
from ferryman.testing.history.entries.entry import Entry

Wish = Literal["pause", "resume", "set", "unset", "pass"]
"""To close a gate or to open it, to pin its rule or no longer, to let a sequence go on without those that failed."""


class KeyAsked(Entry, frozen=True, kw_only=True):
    """Somebody asks something of the gate of a key."""

    call: int
    """Joins the answer to it."""
    key: str
    wish: Wish
    rule: GateRule | None = None
    """For "set"."""


class KeyAnswered(Entry, frozen=True, kw_only=True):
    """`done` tells whether it is done; where it is not, nobody knows."""

    call: int
    key: str
    done: bool


class KeyTook(Entry, frozen=True, kw_only=True):
    """It is done; takes effect. Only in exact histories."""

    key: str
    wish: Wish
    rule: GateRule | None = None
    passed: tuple[str, ...] = ()
    """The failed jobs for which the sequence waits no more."""
