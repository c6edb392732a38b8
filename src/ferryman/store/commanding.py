"""The verbs by which operators tell nodes what to do, and nodes say how they are.

A wish is written into the node's row, whoever says it and wherever; the node reads it when it next checks in, once a
beat. So it reaches a node behind any firewall, and one that does not hear it did not live.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from ferryman.domain.audit import Deed
from ferryman.domain.nodes import Condition, NodeWish, Wished

encode_condition: Final = msgspec.json.Encoder().encode
"""A condition as a store keeps it."""
_decode_condition: Final = msgspec.json.Decoder(Condition).decode
_WISHES: Final = frozenset(NodeWish)


def wish_of(kept: str | None) -> NodeWish | None:
    """A wish as a store has kept it; None for one that only newer versions know, which nobody here can heed."""
    return NodeWish(kept) if kept in _WISHES else None


def condition_of(kept: bytes | str) -> Condition | None:
    """A condition as a store has kept it; None where it cannot be read, as a power cut left half of it, or a newer
    version says it otherwise."""
    try:
        return _decode_condition(kept)
    except msgspec.DecodeError:
        return None


class HeldJob(msgspec.Struct, frozen=True, array_like=True):
    """A job that a node has claimed and not ended: it runs, or waits in the node's channel."""

    id: str
    type: str
    queue: str
    claim: int
    """Its claim number."""
    attempt: int
    claimed_at: int


class Commanding(Protocol):
    """A part of `Store`."""

    async def command(self, id: str, wish: NodeWish, now: int, *, deed: Deed | None = None) -> bool:
        """Tell the node of an id what to do; a later wish takes the place of an earlier one.

        False: no such node, or it has ended; nothing was written. Said twice with one `now` it is one wish.
        """
        ...

    async def check_in(self, node: int, condition: Condition) -> Wished | None:
        """A node says how it is. Returns the last wish that somebody had for it; None also where it has ended.

        It is no beat, and renews no claim.
        """
        ...

    async def held_by(self, id: str) -> Sequence[HeldJob]:
        """The jobs that the node of an id has claimed and not ended, in the order of their ids."""
        ...
