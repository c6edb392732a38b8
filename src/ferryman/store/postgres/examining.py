"""What can be seen of a server from outside, without opening a store: nothing here writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import msgspec

from ferryman.store.postgres import own
from ferryman.store.postgres.failures import ERRORS, explain
from ferryman.store.postgres.schema import applied_on
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.target import Target

ANSWER_SECONDS: Final = 10.0
OLD_SECONDS: Final = 60.0
"""A transaction of this age keeps VACUUM from removing what the queue leaves behind."""
Connect = Callable[[], Awaitable[Any]]


class Server(msgspec.Struct, frozen=True):
    """A server, as a role of it sees it."""

    version: str
    user: str
    read_only: bool
    """Whether it takes no writes: a standby, or set to be so."""
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    room: int
    """How many more connections this role could make now."""


class Rights(msgspec.Struct, frozen=True):
    """What a role may do with our tables."""

    may_use: bool
    owner: bool
    lacks: Sequence[str]
    """Such as "INSERT on job"."""


class Examined(msgspec.Struct, frozen=True):
    """All that was seen."""

    server: Server
    rights: Rights | None
    """None where there is no schema of ours."""
    applied: int
    """The newest migration; 0 where there is none, or none to be seen."""
    old: Mapping[str, float]
    """For how many seconds transactions have been open that hold up VACUUM, by who has them."""
    ahead: float
    """How many seconds the server's clock is ahead of ours."""
    pooled: bool
    """Whether a pooler lends one connection of the server's to several of ours, in turns."""
    pending: Mapping[str, int]
    """How many jobs of each type are pending."""


async def examine(target: Target, now: Callable[[], float], connect: Connect | None = None) -> Examined:
    """Look at a server.

    Args:
        target: the database.
        now: our clock, in seconds since 1970.
        connect: makes a connection to it.

    Raises:
        StoreError: it cannot be reached, or is too old.
    """
    connect = connect or _connecting(target)
    try:
        async with AsyncExitStack() as stack:
            first = await connect()
            stack.push_async_callback(first.close)
            second = await connect()
            stack.push_async_callback(second.close)
            return await _examine(first, second, now)
    except ERRORS as error:
        raise explain(error, target.place) from error


def _connecting(target: Target) -> Connect:
    async def connect() -> Any:
        # behind a pooler the next statement may be another connection's, which has prepared nothing
        return await own.connect(target, command_timeout=ANSWER_SECONDS, statement_cache_size=0)

    return connect


async def _examine(first: Any, second: Any, now: Callable[[], float]) -> Examined:
    statements = Statements()
    async with first.transaction():
        [[backend]] = await first.fetch(statements["backend"])
        asked = now()
        [[clock]] = await first.fetch(statements["examine_clock"])
        answered = now()
        [server] = await first.fetch(statements["examine_server"])
        rights = [Rights(*row) for row in await first.fetch(statements["examine_rights"])]
        usable = bool(rights) and rights[0].may_use
        applied = await applied_on(first) if usable else 0
        readable = applied and not rights[0].lacks
        pending: Any = await first.fetch(statements["pending_types"]) if readable else []
        old = await first.fetch(statements["examine_old"], OLD_SECONDS)
    async with second.transaction():
        [[another]] = await second.fetch(statements["backend"])
    return Examined(
        server=Server(*server),
        rights=rights[0] if rights else None,
        applied=applied,
        old=dict(old),
        ahead=clock - (asked + answered) / 2,
        # without one, two connections that are open at the same time have a process each
        pooled=backend == another,
        pending=dict(pending),
    )
