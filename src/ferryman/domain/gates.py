"""Gates: how many of a key's jobs may be on their way at once, and how often one may start.

    enqueue --> held --> [gate] --> ready --> claim --> run --> end
                           |  a slot, from here ----------to here |

A job with a key stands before the gate of its key until that lets it in. Then it has a slot and stands in its lane
like any other, so a claim knows nothing of keys.

The rate is one of claims, though it is spent when a job is let in, and a job may be claimed long after. For that the
gate remembers, beside its tokens (`level`), how many jobs it had let in that nobody had claimed yet (`standing`):

    admission:  level    = min(level + rate * time since, burst - standing)
                n        = the whole tokens of it, as far as jobs wait and there is room
                level    = level - n
                standing = jobs that are let in and unclaimed now + n

So `level + standing <= burst` after each admission, and only by time passing do both together grow. Take a window of t
seconds that begins with u jobs unclaimed, after an admission that left `standing >= u`. What is claimed in it are some
of these u, and jobs that are let in within it; the first admission in it finds at most burst - standing tokens, and
all later ones together at most rate * t more. That is u + burst - standing + rate * t <= burst + rate * t.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
from msgspec.structs import replace

from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule

EARLY: Final = 0.25
"""After so much of the time in which a token comes one looks whether there is room for it."""
MOST: Final = 1000
"""So many jobs of one key are let in at once, so that no commit is long."""


class Gate(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The gate of one key."""

    rule: GateRule = GateRule()
    pinned: bool = False
    """Whether a person set the rule; else it is that of the newest job."""
    paused: bool = False
    ruled_by: str = ""
    """The id of the job that brought the rule."""
    level: float = 0.0
    """Tokens, after the last admission."""
    standing: int = 0
    """How many jobs it had let in that nobody had claimed yet, after the last admission."""
    at: int = 0
    """When the last admission was, in microseconds."""

    def as_new(self, now: int) -> bool:
        """Whether nothing is lost if it is forgotten and made again. Nobody may be behind it, nor stand before it."""
        if self.pinned or self.paused:
            return False
        return self.rule.rate is None or (self.standing == 0 and refilled(self, now).level >= self.rule.burst)


class Newest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest job, among those before the gate, that brings a rule."""

    id: str
    rule: GateRule


class Crowd(msgspec.Struct, frozen=True, gc=False):
    """Who is on the way behind a gate."""

    slots: int = 0
    unclaimed: int = 0
    """How many of them stand in their lanes still."""


class Look(msgspec.Struct, frozen=True, gc=False):
    """A gate as it is before somebody goes through it, and who is behind it."""

    gate: Gate
    """Refilled, under the rule of the newest job."""
    crowd: Crowd

    @property
    def room(self) -> int:
        """How many may go."""
        return room(self.gate, self.crowd)


class Went(msgspec.Struct, frozen=True, gc=False):
    """How many went through a gate, and whether others stand before it still."""

    jobs: int = 0
    more: bool = False


def offered(gate: Gate, newest: Newest | None, crowd: Crowd, now: int) -> Gate:
    """The gate under the rule that the newest job brings, unless a person said otherwise."""
    if newest is None or gate.pinned or newest.rule == gate.rule or newest.id <= gate.ruled_by:
        return gate
    return replace(ruled(gate, newest.rule, crowd, now), ruled_by=newest.id)


def ruled(gate: Gate, rule: GateRule, crowd: Crowd, now: int) -> Gate:
    """The gate under another rule. No change of it gives tokens; only the first rate begins with all of its burst."""
    if rule == gate.rule:
        return gate
    if rule.rate is None:
        return replace(gate, rule=rule, level=0.0, standing=0)
    if gate.rule.rate is None:
        level, standing = float(rule.burst - crowd.unclaimed), crowd.unclaimed
        return replace(gate, rule=rule, level=level, standing=standing, at=now)
    filled = refilled(gate, now)
    return replace(filled, rule=rule, level=min(filled.level, float(rule.burst - filled.standing)))


def changed(before: Gate, after: Gate) -> bool:
    """Whether a person's word about a gate has changed it; time and jobs change the rest of it by themselves."""
    return (before.rule, before.pinned, before.paused) != (after.rule, after.pinned, after.paused)


def refilled(gate: Gate, now: int) -> Gate:
    """The gate with the tokens that time has brought. A clock that goes back brings and takes none."""
    if gate.rule.rate is None:
        return gate
    level = gate.level + gate.rule.rate * max(0, now - gate.at) / MICROS
    return replace(gate, level=min(level, float(gate.rule.burst - gate.standing)), at=max(gate.at, now))


def room(gate: Gate, crowd: Crowd) -> int:
    """How many may be let in by a gate that was refilled."""
    if gate.paused:
        return 0
    rule, width = gate.rule, gate.rule.width
    most = MOST if width is None else min(MOST, width - crowd.slots)
    if rule.rate is not None:
        most = min(most, math.floor(gate.level))
    return max(0, most)


def entered(gate: Gate, crowd: Crowd, count: int) -> Gate:
    """The gate after so many were let in."""
    if gate.rule.rate is None:
        return gate
    return replace(gate, level=gate.level - count, standing=crowd.unclaimed + count)


def due(gate: Gate, crowd: Crowd, count: int, more: bool, now: int) -> int | None:
    """When to look again, where no end of a run leads to that: in microseconds; None is never.

    Args:
        gate: after `count` were let in.
        crowd: from before.
        more: whether jobs stand before it still.
        now: the time.
    """
    if gate.paused or not more:
        return None
    if gate.rule.width is not None and crowd.slots + count >= gate.rule.width:
        return None
    if gate.rule.rate is not None and gate.level < 1:
        wait = (1 - gate.level) / gate.rule.rate * MICROS
        if gate.rule.burst - gate.standing < 1:
            wait *= EARLY  # no token can come before somebody has seen that those who stand were claimed
        return gate.at + max(1, math.ceil(wait))
    return now if count == MOST else None


def left(look: Look, went: Went, now: int) -> tuple[Gate, int | None]:
    """What becomes of a gate that was looked at once these went through it: the gate, and when to look again."""
    gate = entered(look.gate, look.crowd, went.jobs)
    return gate, due(gate, look.crowd, went.jobs, went.more, now)
