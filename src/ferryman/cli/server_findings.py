"""How `ferryman check` looks at a PostgreSQL server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from ferryman.cli.findings import Finding, look_at_types, wrong
from ferryman.cli.table import plain, span
from ferryman.domain.errors import BadSetting, DatabaseReadOnly, SchemaMissing, StoreError
from ferryman.domain.job import MICROS
from ferryman.settings import Settings
from ferryman.store.factory import postgres

if TYPE_CHECKING:
    from ferryman.store.postgres import Examined
    from ferryman.store.postgres.examining import Rights, Server

CONNECTIONS: Final = 15
"""How many a node makes at most, without those of its handlers' transactions."""
SKEW_SECONDS: Final = 2.0
LACKS_SHOWN: Final = 3


def look_at_server(settings: Settings, now: Callable[[], float], types: frozenset[str] | None) -> Iterator[Finding]:
    """Look at a server from outside.

    Args:
        settings: name the database, and how many processes there are to be.
        now: our clock, in seconds since 1970.
        types: those that the target declares, if it could be loaded.
    """
    try:
        package = postgres()
        target = package.Target.of(settings.database_url)
        newest: int = package.Schema(target).newest
        seen: Examined = asyncio.run(package.examine(target, now))
        if target.pooled:  # the URL says so, and so it works
            seen = msgspec.structs.replace(seen, pooled=False)
    except (StoreError, BadSetting) as error:
        yield wrong("database", error)
        return
    yield from findings(seen, target.place, newest, settings.processes)
    if types is not None:
        yield from look_at_types(seen.pending, types)


def findings(seen: Examined, place: str, newest: int, processes: int) -> Iterator[Finding]:
    """What is to be said of a server."""
    yield _database(seen.server, place)
    if seen.rights is None or seen.rights.may_use:
        yield _schema(seen.applied, newest)
    if seen.rights is not None:
        yield _rights(seen.rights, seen.server.user)
    yield from _durability(seen.server)
    yield from _old(seen.old)
    yield _room(seen.server.room, max(1, processes))
    if seen.pooled:
        yield Finding(
            "warning",
            "pooler",
            "A pooler in transaction mode stands between: consecutive statements may run on different connections.",
            hint="Let DATABASE_URL lead to the server itself, or add ?pooler=transaction; see docs/postgres.md.",
        )
    yield _skew(seen.ahead)


def _database(server: Server, place: str) -> Finding:
    if server.read_only:
        error = DatabaseReadOnly(
            f"PostgreSQL {server.version} at {place} takes no writes.",
            why="It is a standby, or set to be read only.",
            hint="Point DATABASE_URL at the primary.",
        )
        return wrong("database", error)
    return Finding("ok", "database", f"PostgreSQL {server.version} answers at {place}.")


def _schema(applied: int, newest: int) -> Finding:
    if applied >= newest:
        return Finding("ok", "schema", f"The tables are those of schema {applied}.")
    has = f"has schema {applied}" if applied else "does not have Ferryman's tables"
    what = f"The database {has}; this version works with schema {newest}."
    return wrong("schema", SchemaMissing(what, hint="Run `ferryman migrate` with a role that may create tables."))


def _rights(rights: Rights, user: str) -> Finding:
    lacks = list(rights.lacks) if rights.may_use else ["USAGE on schema ferryman"]
    if lacks:
        more = f" and {len(lacks) - LACKS_SHOWN} more" if len(lacks) > LACKS_SHOWN else ""
        what = f"The role {plain(user)} lacks {', '.join(lacks[:LACKS_SHOWN])}{more}."
        return Finding("error", "rights", what, hint=f"Who owns the tables runs: ferryman migrate --role {plain(user)}")
    owns = "owns the tables" if rights.owner else "has the rights that a node needs, and does not own the tables"
    return Finding("ok", "rights", f"The role {plain(user)} {owns}.")


def _durability(server: Server) -> Iterator[Finding]:
    off = [name for name in ("fsync", "full_page_writes") if getattr(server, name) == "off"]
    if off:
        are = "are" if len(off) > 1 else "is"
        what = f"{' and '.join(off)} {are} off: a crash of the machine may lose or damage the whole database."
        yield Finding("warning", "commits", what, hint="Set what is off to on, unless the data may be lost.")
    if server.synchronous_commit in ("off", "local"):
        yield Finding(
            "warning",
            "commits",
            f"synchronous_commit is {server.synchronous_commit} for this role.",
            hint="Ferryman turns it on for what it writes; a crash may take back transactions of your own.",
        )


def _old(old: Mapping[str, float]) -> Iterator[Finding]:
    for who, seconds in old.items():
        yield Finding(
            "warning",
            "vacuum",
            f"A transaction has been open for {span(round(seconds * MICROS))}: {plain(who)}.",
            hint="VACUUM removes nothing that was deleted since, so tables grow. End it, or see why it lasts.",
        )


def _room(room: int, nodes: int) -> Finding:
    needed = nodes * CONNECTIONS
    if room >= needed:
        return Finding("ok", "room", f"There is room for {room} more connections; a node makes up to {CONNECTIONS}.")
    takes = f"{nodes} nodes take" if nodes > 1 else "a node takes"
    what = f"There is room for {room} more connections, and {takes} up to {needed}."
    return Finding("warning", "room", what, hint="Raise max_connections, or the limit of the role or the database.")


def _skew(ahead: float) -> Finding:
    if abs(ahead) <= SKEW_SECONDS:
        return Finding("ok", "skew", "The server's clock and this machine's agree.")
    what = f"The server's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's."
    hint = "Synchronise them, on every machine: a delayed job starts by the clock of the node that looks for it."
    return Finding("warning", "skew", what, hint=hint)
