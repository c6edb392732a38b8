"""What a handler may write its transaction with, and how one is begun and ended on it: drivers, pools, SQLAlchemy.

Each kind is written once for both of its faces; see `acts.py`.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from ferryman.domain.errors import TransactionImpossible
from ferryman.store.loaded import is_a, loaded
from ferryman.store.postgres.acts import Act, Acts

END_SECONDS: Final = 8.0
"""For so long a commit or a rollback may take that is awaited; then its fate is unknown."""


def _nothing() -> None:
    """Nothing to do."""


class Hold(NamedTuple):
    """A transaction of a handler's, begun."""

    handed: Any
    """What the handler writes with."""
    driver: Any
    """The driver's connection, over which the completion is written."""
    commit: Act
    rollback: Act
    let_go: Act = _nothing
    """Gives back what was taken for it."""
    flush: Act = _nothing
    """Writes what a session has kept to itself so far."""


def hold(using: Any, *, blocking: bool) -> Acts[Hold]:
    """Begin a transaction on what the handler wants to write with.

    Raises:
        TransactionImpossible: it is nothing for that, belongs to the other kind of handler, or has one open already.
    """
    for module, name, is_async, begin in _KINDS:
        if not is_a(using, module, name):
            continue
        if is_async and blocking:
            raise TransactionImpossible(
                f"A {name} of {module.partition('.')[0]} is awaited, and this handler's block is not.",
                hint="Write `async with ctx.transaction(using=...)` in an `async def` handler.",
            )
        if blocking or is_async:
            return (yield from begin(using, is_async))
        raise TransactionImpossible(
            f"A {name} of {module.partition('.')[0]} would block the event loop.",
            hint="Write `with ctx.transaction(using=...)` in a `def` handler, or use one that is awaited.",
        )
    raise TransactionImpossible(
        f"using cannot be a {type(using).__name__}.",
        hint="Give a connection or pool of asyncpg or psycopg 3, or an engine, sessionmaker or session of SQLAlchemy.",
    )


def break_off(driver: Any) -> None:
    """Cut a driver's connection while somebody may be using it; the server rolls back. From any thread of asyncpg's
    loop, and from any thread at all for psycopg's."""
    terminate = getattr(driver, "terminate", None)
    if terminate is not None:
        terminate()
    elif not driver.closed:
        # not its own `close`, which frees what another thread may be waiting with
        with socket.socket(fileno=os.dup(driver.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)


# -- drivers ---------------------------------------------------------------------------------------


def _asyncpg(connection: Any, _is_async: bool) -> Acts[Hold]:
    if connection.is_in_transaction():
        raise _open_already()
    transaction = connection.transaction()
    yield transaction.start
    return Hold(connection, connection, _bounded(transaction.commit, True), _bounded(transaction.rollback, True))


def asyncpg_pool(pool: Any, is_async: bool) -> Acts[Hold]:
    """Begin on a connection of a pool; waits for one."""
    connection = yield pool.acquire
    let_go = partial(pool.release, connection, timeout=END_SECONDS)
    return (yield from _taken(let_go, _asyncpg(connection, is_async)))


def _psycopg(connection: Any, is_async: bool) -> Acts[Hold]:
    if connection.info.transaction_status != loaded("psycopg.pq", "TransactionStatus").IDLE:
        raise _open_already()
    transaction, undo = connection.transaction(), loaded("psycopg", "Rollback")
    leave = transaction.__aexit__ if is_async else transaction.__exit__
    yield transaction.__aenter__ if is_async else transaction.__enter__
    commit = _bounded(partial(leave, None, None, None), is_async)
    return Hold(connection, connection, commit, _bounded(partial(leave, undo, undo(), None), is_async))


def psycopg_pool(pool: Any, is_async: bool) -> Acts[Hold]:
    """Begin on a connection of a pool; waits for one."""
    connection = yield pool.getconn
    return (yield from _taken(partial(pool.putconn, connection), _psycopg(connection, is_async)))


# -- SQLAlchemy ------------------------------------------------------------------------------------


def _engine(engine: Any, is_async: bool) -> Acts[Hold]:
    connection = yield engine.connect
    return (yield from _taken(connection.close, _connection(connection, is_async)))


def _connection(connection: Any, is_async: bool) -> Acts[Hold]:
    if connection.in_transaction():
        raise _open_already()
    transaction = yield connection.begin
    driver = yield from _driver_of(connection, is_async)
    return Hold(connection, driver, _bounded(transaction.commit, is_async), _bounded(transaction.rollback, is_async))


def _sessionmaker(maker: Any, is_async: bool) -> Acts[Hold]:
    session = maker()
    return (yield from _taken(session.close, _session(session, is_async)))


def _session(session: Any, is_async: bool) -> Acts[Hold]:
    if session.in_transaction():
        raise _open_already()
    yield session.begin
    connection = yield session.connection
    driver = yield from _driver_of(connection, is_async)
    commit, rollback = _bounded(session.commit, is_async), _bounded(session.rollback, is_async)
    return Hold(session, driver, commit, rollback, flush=session.flush)


def _driver_of(connection: Any, is_async: bool) -> Acts[Any]:
    # over asyncpg SQLAlchemy begins with the first statement only
    yield partial(connection.exec_driver_sql, "SELECT 1")
    if is_async:
        raw = yield connection.get_raw_connection
        return raw.driver_connection
    return connection.connection.driver_connection


# -- what they share -------------------------------------------------------------------------------


def _taken(let_go: Act, begin: Acts[Hold]) -> Acts[Hold]:
    """Begin on what was taken for it, and have it given back at the end; at once where that fails."""
    try:
        held = yield from begin
    except BaseException:
        yield let_go
        raise
    return held._replace(let_go=let_go)


def _bounded(act: Act, is_async: bool) -> Act:
    """The same, but not for ever, where it is awaited."""
    return partial(_within, act) if is_async else act


async def _within(act: Act) -> None:
    async with asyncio.timeout(END_SECONDS):
        await act()


def _open_already() -> TransactionImpossible:
    return TransactionImpossible(
        "A transaction is open on it already.",
        why="The run's completion is to commit with the transaction, so that begins and ends with the block.",
        hint="Commit or roll back before the block, or let it have a connection of its own.",
    )


Kind = tuple[str, str, bool, Callable[[Any, bool], Acts[Hold]]]
_KINDS: Final[tuple[Kind, ...]] = (
    ("asyncpg", "Connection", True, _asyncpg),
    ("asyncpg.pool", "PoolConnectionProxy", True, _asyncpg),
    ("asyncpg", "Pool", True, asyncpg_pool),
    ("psycopg", "Connection", False, _psycopg),
    ("psycopg", "AsyncConnection", True, _psycopg),
    ("psycopg_pool", "ConnectionPool", False, psycopg_pool),
    ("psycopg_pool", "AsyncConnectionPool", True, psycopg_pool),
    ("sqlalchemy.engine", "Engine", False, _engine),
    ("sqlalchemy.engine", "Connection", False, _connection),
    ("sqlalchemy.orm", "Session", False, _session),
    ("sqlalchemy.orm", "sessionmaker", False, _sessionmaker),
    ("sqlalchemy.ext.asyncio", "AsyncEngine", True, _engine),
    ("sqlalchemy.ext.asyncio", "AsyncConnection", True, _connection),
    ("sqlalchemy.ext.asyncio", "AsyncSession", True, _session),
    ("sqlalchemy.ext.asyncio", "async_sessionmaker", True, _sessionmaker),
)
"""module, class, whether it is awaited, how a transaction begins on it."""
