"""Our statements on a connection that somebody else has opened, and goes on using: asyncpg's or psycopg's."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg

from ferryman.domain.errors import StoreError, TransactionImpossible, TransactionTimedOut
from ferryman.store.loaded import is_a, loaded
from ferryman.store.postgres.acts import Acts
from ferryman.store.postgres.failures import ERRORS, explain
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import AlreadyThere, Row, Steps

T = TypeVar("T")
Fetch = Callable[[str, tuple[Any, ...]], Any]

SECONDS: Final = 8.0
"""For so long a statement of ours may take where it is awaited."""
UNIQUE: Final = "23505"
NO_TRANSACTION: Final = "25P01"
FAILED_TRANSACTION: Final = "25P02"
IDLE_TOO_LONG: Final = "25P03"
_BY_STATE: Final = types.MappingProxyType(
    {kind.sqlstate: kind for kind in vars(asyncpg).values() if getattr(kind, "sqlstate", None)}
)
"""asyncpg's classes of errors: what psycopg raises is explained as these are."""


class Lent(NamedTuple):
    """A connection as our statements need it, whatever factories of rows and cursors its owner has set."""

    fetch: Fetch
    is_async: bool
    statements: Statements
    place: str

    def do(self, steps: Steps[T]) -> Acts[T]:
        """Drive a verb. A statement that fails is thrown into it, explained."""
        errors = driver_errors()
        try:
            asked = next(steps)
            while True:
                try:
                    rows = yield partial(self.fetch, self.statements[asked.statement], asked.parameters)
                except errors as error:
                    asked = steps.throw(explained(error, self.place))
                else:
                    asked = steps.send(rows)
        except StopIteration as end:
            result: T = end.value
            return result


def lend(connection: Any, statements: Statements, place: str) -> Lent:
    """Lend a driver's connection to our statements. Raises TransactionImpossible: it is none that we know."""
    if isinstance(connection, asyncpg.Connection) or is_a(connection, "asyncpg.pool", "PoolConnectionProxy"):
        return Lent(partial(_ask_asyncpg, connection), True, statements, place)
    if is_a(connection, "psycopg", "AsyncConnection"):
        return Lent(partial(_aask_psycopg, connection), True, statements, place)
    if is_a(connection, "psycopg", "Connection"):
        return Lent(partial(_ask_psycopg, connection), False, statements, place)
    kind: type[object] = connection.__class__
    raise TransactionImpossible(
        f"tx cannot be a {kind.__name__} of {kind.__module__.partition('.')[0]}.",
        why="The store is a PostgreSQL database; its transactions are joined through asyncpg and psycopg 3.",
        hint="Install psycopg (3) and connect through it; in SQLAlchemy and Django it takes the place of psycopg2 and "
        "pg8000: postgresql+psycopg://...",
    )


def explained(error: BaseException, place: str) -> StoreError | AlreadyThere:
    """What a driver's error means."""
    state = getattr(error, "sqlstate", None)
    if state == UNIQUE:
        return AlreadyThere(str(error))
    if state == NO_TRANSACTION:
        return TransactionImpossible(
            "No transaction is open on the connection.",
            why="It commits each statement by itself.",
            hint="Begin one first: `async with connection.transaction():`, atomic(), or autocommit=False.",
        )
    if state == FAILED_TRANSACTION:
        return TransactionImpossible(
            "The transaction has failed already.",
            why="PostgreSQL takes no more statements after one that failed.",
            hint="Roll it back, and begin again; a savepoint around what may fail keeps the rest.",
        )
    if state == IDLE_TOO_LONG:
        return TransactionTimedOut(
            "The server has ended the transaction, because nothing was said in it for too long.",
            why="While it is open, others wait for what it has written.",
            hint="Do slow work before it begins.",
        )
    return explain(_as_asyncpg(error, state), place)


def driver_errors() -> tuple[type[BaseException], ...]:
    """All that a driver in use raises when the server or the way to it fails."""
    psycopg = loaded("psycopg", "Error")
    return ERRORS if psycopg is None else (*ERRORS, psycopg)


def _as_asyncpg(error: BaseException, state: str | None) -> BaseException:
    """An error of psycopg's as asyncpg would have raised it; one without a state is that of a lost connection.

    A pool of asyncpg's takes a connection back that is lost, and says only that.
    """
    if isinstance(error, asyncpg.InterfaceError) and "released back" in str(error):
        return ConnectionError("the connection was lost")
    if isinstance(error, ERRORS):
        return error
    text = str(error)
    return ConnectionError(text) if state is None else _BY_STATE.get(state, asyncpg.PostgresError)(text)


async def _ask_asyncpg(connection: Any, sql: str, parameters: tuple[Any, ...]) -> Sequence[Row]:
    rows: Sequence[Row] = await connection.fetch(sql, *parameters, timeout=SECONDS)
    return rows


def _ask_psycopg(connection: Any, sql: str, parameters: tuple[Any, ...]) -> Sequence[Row]:
    cursor = loaded("psycopg", "RawCursor")(connection, row_factory=loaded("psycopg.rows", "tuple_row"))
    cursor.execute(sql, parameters)
    rows: Sequence[Row] = cursor.fetchall() if cursor.description else []
    return rows


async def _aask_psycopg(connection: Any, sql: str, parameters: tuple[Any, ...]) -> Sequence[Row]:
    cursor = loaded("psycopg", "AsyncRawCursor")(connection, row_factory=loaded("psycopg.rows", "tuple_row"))
    async with asyncio.timeout(SECONDS):
        await cursor.execute(sql, parameters)
        rows: Sequence[Row] = await cursor.fetchall() if cursor.description else []
    return rows
