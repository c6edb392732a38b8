"""What people may say of a key, and how they read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from ferryman.domain import gates
from ferryman.domain.audit import Deed
from ferryman.domain.gates import Crowd, Gate
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.store.gating import KeyStatus
from ferryman.store.postgres.auditing import note
from ferryman.store.postgres.steps import Ask, Steps

Change = Callable[[Gate, Crowd], Gate]
"""What becomes of a gate, given who is behind it."""
_SLOTS: Final = 14


def ruled(rule: GateRule | None, now: int) -> Change:
    """Pin a rule, or unpin it."""

    def change(gate: Gate, crowd: Crowd) -> Gate:
        changed = gate if rule is None else gates.ruled(gate, rule, crowd, now)
        return replace(changed, pinned=rule is not None)

    return change


def paused(paused: bool) -> Change:
    """Close the gate, or open it."""
    return lambda gate, _: replace(gate, paused=paused)


def page(first: str, last: str, after: str, limit: int) -> Steps[list[KeyStatus]]:
    """The gates there are between two keys."""
    return [
        KeyStatus(
            key=row[0],
            rule=GateRule(row[1], row[2], row[3], row[4], OnFailure(row[5]), row[6]),
            pinned=row[7],
            paused=row[8],
            slots=row[_SLOTS],
            waiting=row[_SLOTS + 1],
            held_by=tuple(row[_SLOTS + 2]),
        )
        for row in (yield Ask("key_page", (first, last, after, limit)))
    ]


def pass_key(key: str, deed: Deed | None) -> Steps[list[str]]:
    """Free the slots of the failed; who may go then is let in afterwards. Returns their ids."""
    passed = sorted(row[0] for row in (yield Ask("pass_key", (key,))))
    yield from note(deed if passed else None)
    return passed
