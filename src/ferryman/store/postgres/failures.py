"""From asyncpg's errors to errors for people."""

from __future__ import annotations

import asyncio
from typing import Final

import asyncpg

from ferryman.domain.errors import (
    DatabaseReadOnly,
    SchemaMissing,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreUnreachable,
)

POOLED: Final = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
"""The session is not the one in which the statement was prepared."""
UNREACHABLE: Final = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""The server could not be reached, would not have us, or went away."""
BUSY: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.QueryCanceledError,
)
"""Nothing was written, and a second try may well succeed."""
DRIVERS: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The driver would not, or could not, use the connection."""
ERRORS: Final = (
    asyncpg.PostgresError,
    *DRIVERS,
    OSError,
    asyncio.TimeoutError,
)
"""All that a call of asyncpg's raises when the server or the way to it fails."""


def lost(error: BaseException) -> bool:
    """Whether the connection is of no use any more, so that the fate of what was asked is unknown."""
    if isinstance(error, DRIVERS):
        # it has many words for a connection that has ended; those that are ValueError speak of what the URL says
        return not isinstance(error, ValueError)
    return isinstance(error, UNREACHABLE)


def explain(error: BaseException, place: str) -> StoreError:
    """The coded error for one of asyncpg's. `place` is the database's."""
    reason = _reason(error)
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return DatabaseReadOnly(
            f"PostgreSQL at {place} takes no writes.",
            why=f"It says: {reason}. It may be a standby, or in the middle of a failover.",
            hint="Point DATABASE_URL at the primary. After a failover this goes on by itself.",
        )
    if isinstance(error, asyncpg.LockNotAvailableError):
        return StoreBusy(
            f"Somebody else's transaction on PostgreSQL at {place} holds what this needs, and is still open.",
            why=f"It says: {reason}. It may be storing a job with the same key just now. Nothing was written.",
            hint="Try again. If it stays, look for transactions that are open for long (pg_stat_activity).",
        )
    if isinstance(error, BUSY):
        return StoreBusy(
            f"PostgreSQL at {place} gave up on a statement.",
            why=f"It says: {reason}. Nothing was written.",
            hint="Try again. If it stays, look for transactions that are open for long (pg_stat_activity).",
        )
    if isinstance(error, asyncpg.DiskFullError):
        return StoreFull(
            f"The disk of PostgreSQL at {place} is full.",
            why="Nothing was written.",
            hint="Free space; the store goes on by itself.",
        )
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError | asyncpg.InvalidSchemaNameError):
        return SchemaMissing(
            f"The database at {place} does not have Ferryman's tables, or not those of this version.",
            why=f"PostgreSQL says: {reason}.",
            hint="Run `ferryman migrate` with a role that may create tables.",
        )
    if isinstance(error, POOLED):
        return StoreFailed(
            f"PostgreSQL at {place} does not know a statement that was prepared a moment ago.",
            why=f"It says: {reason}. A pooler that gives each transaction another session does that.",
            hint="Add ?pooler=transaction to DATABASE_URL, or let the pooler work in session mode.",
        )
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return StoreFailed(
            f"PostgreSQL at {place} refused: {reason}.",
            why="The role lacks a right.",
            hint="Who owns the tables grants a role what it needs to run nodes: ferryman migrate --role NAME",
        )
    if lost(error):
        return StoreUnreachable(
            f"PostgreSQL at {place} cannot be reached.",
            why=f"{reason[0].upper()}{reason[1:]}.",
            hint="Check the server and DATABASE_URL. Nodes go on by themselves once it answers.",
        )
    return StoreFailed(
        f"PostgreSQL at {place} failed: {reason}.", hint="The server's log says more about what it was asked."
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, DRIVERS) and lost(error):
        return "the connection was lost"
    text = str(error).strip().rstrip(".")
    if text:
        return text.splitlines()[0]
    if isinstance(error, asyncio.TimeoutError):
        return "it did not answer in time"
    return type(error).__name__
