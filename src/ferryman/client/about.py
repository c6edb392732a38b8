"""What an operator should know of a store and its nodes, as far as that is seen at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from ferryman.domain.job import MICROS
from ferryman.store.describing import SAFE_SQLITE, Described
from ferryman.store.protocol import Clock, NodeStatus, Store

SKEW: Final = 2 * MICROS
SHOWN: Final = 5
"""How many names one warning tells."""


class Warned(msgspec.Struct, frozen=True):
    """Something that is not as it should be."""

    code: str
    """A word that never changes its meaning."""
    message: str
    hint: str


class About(msgspec.Struct, frozen=True):
    """A store, and what is not as it should be."""

    store: Described
    warnings: Sequence[Warned]


async def look(store: Store, clock: Clock, lease: float) -> About:
    """Look at a store and at its nodes. Raises StoreError.

    Args:
        store: the store.
        clock: its time as this process knows it.
        lease: for how many seconds a node may say nothing.
    """
    said = await store.describe()
    now = clock.now()
    return About(said, list(_warnings(said, await store.nodes(now), now, round(lease * MICROS))))


def _warnings(said: Described, nodes: Sequence[NodeStatus], now: int, lease: int) -> Iterator[Warned]:
    live = [each for each in nodes if each.live]
    yield from _of_store(said, live, now)
    yield from _of_types(said, live)
    silent = [each.id for each in live if each.condition is not None and now - each.condition.at > lease]
    if silent:
        message = f"{_names('node', silent)} live, and have not said for {lease // MICROS} s how they are."
        hint = "Their event loops are blocked, or their clocks differ; their logs name the job after LOOP_STALL."
        yield Warned("silent-node", message, hint)
    versions = sorted({each.version for each in live})
    if len(versions) > 1:
        hint = "That is well during a deployment; afterwards, stop those that are left over."
        yield Warned("versions", f"The nodes run different versions: {', '.join(versions)}.", hint)


def _of_store(said: Described, live: Sequence[NodeStatus], now: int) -> Iterator[Warned]:
    if said.kind == "memory":
        hint = "Set DATABASE_URL to a file or a server, if jobs are to outlive the process."
        yield Warned("memory", "The store is in memory: every job is gone when this process ends.", hint)
    if said.kind == "sqlite" and len(live) > 1 and _is_unsafe(said.version or ""):
        safe = ".".join(map(str, SAFE_SQLITE))
        message = f"SQLite {said.version} has a rare bug that can damage a file which several processes write."
        yield Warned("old-sqlite", message, f"Run one process, or Python with SQLite {safe} or later.")
    if said.clock is not None and abs(said.clock - now) > SKEW:
        seconds = abs(said.clock - now) / MICROS
        where = "ahead of" if said.clock > now else "behind"
        message = f"The database server's clock is {seconds:.1f} s {where} this machine's."
        hint = "Synchronise them, on every machine: a delayed job starts by the clock of the node that looks for it."
        yield Warned("clock-skew", message, hint)


def _of_types(said: Described, live: Sequence[NodeStatus]) -> Iterator[Warned]:
    if not said.pending:
        return
    if not live:
        count = sum(said.pending.values())
        hint = "Start one: `ferryman serve` or `ferryman work`."
        yield Warned("no-node", f"No node lives, and {count} jobs are pending.", hint)
        return
    if any(each.types is None for each in live):
        return  # one of another version may have handlers for all of them
    handled = frozenset[str]().union(*(each.types or () for each in live))
    missing = sorted(frozenset(said.pending) - handled)
    if missing:
        count = sum(said.pending[type] for type in missing)
        message = f"No live node has a handler for {_names('type', missing)}, of which {count} jobs are pending."
        hint = "They wait until some node does; `ferryman jobs cancel --type TYPE` ends them."
        yield Warned("no-handler", message, hint)


def _is_unsafe(version: str) -> bool:
    return tuple(int(part) for part in version.split(".") if part.isdigit()) < SAFE_SQLITE


def _names(what: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"the {what}{'s' if len(names) > 1 else ''} {', '.join(names[:SHOWN])}{more}"
