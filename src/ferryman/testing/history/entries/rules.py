"""What is noted of rules for queues and types: what people asked for, what held from when on, whom it kept waiting."""

from __future__ import annotations

from ferryman.domain.limits import Limit, Scope
from ferryman.testing.history.entries.entry import Entry


class RuleAsked(Entry, frozen=True, kw_only=True):
    """Somebody asks to pause or resume a queue or type, or to set or end its limit."""

    call: int
    """Joins the answer to it."""
    scope: Scope
    name: str
    paused: bool | None = None
    """None where only the limit is asked for."""
    limit: Limit | None = None
    """None where only the pause is asked for."""


class RuleAnswered(Entry, frozen=True, kw_only=True):
    """`done` tells whether it holds now; where it is not, nobody knows."""

    call: int
    scope: Scope
    name: str
    done: bool


class RuleTook(Entry, frozen=True, kw_only=True):
    """A rule has been changed, and this is what it says from here on; takes effect. Only in exact histories."""

    scope: Scope
    name: str
    paused: bool
    limit: Limit


class HeldBack(Entry, frozen=True, kw_only=True):
    """A claim has taken as much as a limit allows, and may have left something for its sake; takes effect. Only in
    exact histories."""

    node: int
    batch: int
    rate: bool
    """Whether it was a rate, so that more may be taken when its next token comes."""
