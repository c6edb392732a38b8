"""Gating: the keys of jobs, what their gates keep to, and who stands before them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.job import NewJob
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import Finish


class Admitted(msgspec.Struct, frozen=True):
    """How many jobs were let in, and when the next ones may be, if time alone can tell."""

    count: int
    """With the keys that take turns from now on: claims have something new to look for."""
    next_due: int | None


class KeyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A key as anybody reads it."""

    key: str
    rule: GateRule
    pinned: bool
    """Whether a person set the rule; else it is that of the newest job."""
    paused: bool
    slots: int
    """How many of its jobs are let in: pending, processing, and of a sequence also those that are to be tried again."""
    waiting: int
    """How many stand before its gate."""
    held_by: tuple[str, ...] = ()
    """The failed jobs for which a sequence waits."""


LAST: Final = "\U0010ffff"
"""Comes after every key."""


def keys_in(jobs: Iterable[NewJob]) -> set[str]:
    """The keys of jobs."""
    return {job.key for job in jobs if job.key is not None}


def keys_told(finishes: Iterable[Finish]) -> frozenset[str]:
    """The keys of ended runs and of their follow-ups."""
    keys = frozenset(each.key for each in finishes if each.key is not None)
    return keys.union(job.key for each in finishes for job in each.follow_ups if job.key is not None)


class Gating(Protocol):
    """The verbs about keys.

    A job with a key that is due waits before the gate of its key; whatever verb brings it there or makes room lets in
    who may go, before it returns. Then it has a slot, which is free again when its run has ended, or before that where
    `GateRule.keeps_slot` says so. The gate takes the rule of the newest job that brings one.

    Where the rule has a share, the key takes turns with those of the same lane that have one: its jobs wait until a
    claim that asks for the lane draws them, as many as it asks for and are not ready, each key in its turn
    (`domain.shares`). Whatever would let such jobs in says instead that the key takes turns from now on.

    A verb that is said again looks at the gates again: whoever said it first may have died before it let anybody in.
    """

    async def admit(self, now: int, limit: int) -> Admitted:
        """Let in who may go: those for whom a token is there by now, and those who were overlooked because whoever
        should have let them in had died. Looks at about `limit` keys a call."""
        ...

    async def keys(self, after: str | None, limit: int) -> Sequence[KeyStatus]:
        """The keys that are in use, or were set or paused by a person, in the order of their texts."""
        ...

    async def key(self, key: str) -> KeyStatus | None:
        """One key; None if nobody uses it."""
        ...

    async def set_key(self, key: str, rule: GateRule | None, now: int, *, deed: Deed | None = None) -> None:
        """Pin a rule, whatever jobs bring along; None unpins it: the rule stays until a newer job brings another."""
        ...

    async def pause_key(self, key: str, paused: bool, now: int, *, deed: Deed | None = None) -> None:
        """Let nobody in any more, or again. Who is in goes on."""
        ...

    async def pass_key(self, key: str, now: int, *, deed: Deed | None = None) -> Sequence[str]:
        """Let a sequence go on without the failed jobs for which it waits. Returns their ids."""
        ...
