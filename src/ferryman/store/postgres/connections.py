"""The connections of one process, each kind for its own purpose: what the engine lives on waits for nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

import asyncpg

from ferryman.domain.errors import StoreClosed
from ferryman.store.postgres.driving import drive
from ferryman.store.postgres.failures import ERRORS, explain, lost
from ferryman.store.postgres.own import CONNECT_SECONDS, NAMED, Connect, OwnConnection
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import Steps
from ferryman.store.postgres.target import Target

T = TypeVar("T")
Connection = Any

PREPARED: Final = 100
"""So many statements a connection keeps prepared: all that there are."""
PLANNER: Final = """
SET {scope} enable_seqscan = off; SET {scope} enable_hashjoin = off; SET {scope} enable_mergejoin = off;
SET {scope} enable_bitmapscan = off; SET {scope} jit = off; SET {scope} plan_cache_mode = force_generic_plan;
"""
"""Plans made while the tables are empty are scans of whole tables, and would be kept."""
UNSAFE: Final = "SET {scope} synchronous_commit = off;"
"""For what may be lost: a ring."""
SAFE: Final = """
SET {scope} idle_in_transaction_session_timeout = '8s';
SELECT set_config('synchronous_commit', 'on', '{scope}' = 'LOCAL')
WHERE current_setting('synchronous_commit') IN ('off', 'local');
"""
"""A commit that is answered is on the disk; a transaction of ours never outlives a lease."""
ENGINE: Final = SAFE + PLANNER
INSERTS: Final = ENGINE + "SET {scope} lock_timeout = '500ms';"
"""Somebody else's transaction may give the same key to a job, and stay open. The client asks again for 2 s."""


class Line:
    """A few connections for one purpose, made when they are needed and made again when they were lost."""

    def __init__(
        self,
        target: Target,
        statements: Statements,
        *,
        size: int,
        seconds: float,
        setting_up: str = SAFE,
        on_connect: Callable[[], None] | None = None,
        connect: Connect = asyncpg.connect,
    ) -> None:
        """Make a line; nothing is connected yet.

        Args:
            size: how many connections at most; who comes then waits.
            seconds: how long a statement may take.
            setting_up: statements for each new connection; behind a pooler for each transaction.
            on_connect: called with each new connection.
            connect: makes one.
        """
        self._target = target
        self._statements = statements
        self._size = size
        self._seconds = seconds
        self._setting_up = setting_up.format(scope="LOCAL" if target.pooled else "SESSION")
        self._begin = "BEGIN;" + self._setting_up if target.pooled else "BEGIN"
        self._on_connect = on_connect
        self._connect: Any = connect
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Be ready to connect. Idempotent."""
        if self._pool is not None:
            return
        self._pool = await asyncpg.create_pool(
            self._target.url,
            min_size=0,
            max_size=self._size,
            timeout=CONNECT_SECONDS,
            command_timeout=self._seconds,
            max_inactive_connection_lifetime=0.0,
            max_cached_statement_lifetime=0,
            # the session that a pooler gives next does not know what this one has prepared
            statement_cache_size=0 if self._target.pooled else PREPARED,
            init=self._init,
            reset=_keep,
            connect=self._connect,
            connection_class=OwnConnection,
            server_settings=NAMED,
        )

    async def close(self) -> None:
        """Let go of every connection. Idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
            except ERRORS:
                pool.terminate()

    def abandon(self) -> None:
        """Forget the connections without a word to the server: they are those of the process that forked this one."""
        self._pool = None

    async def _init(self, connection: Connection) -> None:
        if not self._target.pooled:
            await connection.execute(self._setting_up)
        if self._on_connect is not None:
            self._on_connect()

    async def do(self, steps: Steps[T], seconds: float | None = None) -> T:
        """Drive a verb, each of its statements committing by itself.

        Raises:
            StoreError: the server or the way to it failed.
        """
        async with self._lent(seconds) as connection:
            alone = InTurns(connection, self._begin) if self._target.pooled else connection
            return await drive(alone, self._statements, steps, seconds)

    async def transact(self, steps: Steps[T], seconds: float | None = None) -> T:
        """Drive a verb in a transaction of its own. Raises as `do`."""
        async with self._lent(seconds) as connection, _transaction(connection, self._begin):
            return await drive(connection, self._statements, steps, seconds)

    @asynccontextmanager
    async def _lent(self, seconds: float | None) -> AsyncGenerator[Connection]:
        """One connection; one whose last call failed is thrown away unless the server itself refused."""
        pool = self._pool
        if pool is None:
            raise StoreClosed("The store is closed.", hint="Open it before use.")
        try:
            connection: Any = await pool.acquire(timeout=self._seconds if seconds is None else seconds)
        except ERRORS as error:
            raise explain(error, self._target.place) from error
        try:
            yield connection
        except ERRORS as error:
            if lost(error):
                _end(connection)
            raise explain(error, self._target.place) from error
        except asyncio.CancelledError:
            _end(connection)  # what it was asked may still be under way
            raise
        finally:
            with suppress(*ERRORS):  # then the pool has thrown it away, and what was asked is done
                await pool.release(connection)


class InTurns:
    """A connection behind a pooler, over which each statement is a transaction: a session of its own."""

    def __init__(self, connection: Any, begin: str) -> None:
        self._connection = connection
        self._begin = begin

    async def fetch(self, text: str, *parameters: Any, **options: Any) -> Any:
        """Run one statement, and commit."""
        async with _transaction(self._connection, self._begin):
            return await self._connection.fetch(text, *parameters, **options)


@asynccontextmanager
async def _transaction(connection: Any, begin: str) -> AsyncGenerator[None]:
    await connection.execute(begin)
    try:
        yield
    except BaseException as error:
        if not isinstance(error, asyncio.CancelledError) and not lost(error):
            try:
                await connection.execute("ROLLBACK")
            except ERRORS:  # it is lost now, and what went wrong before is what counts
                _end(connection)
        raise
    await connection.execute("COMMIT")


def _end(connection: Any) -> None:
    """Throw a connection away; the pool has taken it back already if it learned of its end first."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


async def _keep(_connection: object) -> None:
    """A connection goes back as it is: nothing that runs on it leaves anything behind."""
