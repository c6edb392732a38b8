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
from ferryman.store.postgres.own import CONNECT_SECONDS, Connect, connect
from ferryman.store.postgres.statements import Statements
from ferryman.store.postgres.steps import Steps
from ferryman.store.postgres.target import Target

T = TypeVar("T")
Connection = Any

PREPARED: Final = 200
"""So many statements a connection keeps prepared: all that there are."""
PLANNER: Final = """
SET {scope} enable_seqscan = off; SET {scope} enable_hashjoin = off; SET {scope} enable_mergejoin = off;
SET {scope} enable_bitmapscan = off; SET {scope} jit = off; SET {scope} plan_cache_mode = force_generic_plan;
"""
"""Plans made while the tables are empty are scans of whole tables, and would be kept."""
SAFE: Final = """
SET {scope} idle_in_transaction_session_timeout = '8s';
SELECT set_config('synchronous_commit', 'on', '{scope}' = 'LOCAL')
WHERE current_setting('synchronous_commit') IN ('off', 'local');
"""
"""A commit that is answered is on the disk; a transaction of ours never outlives a lease."""
ENGINE: Final = SAFE + PLANNER
INSERTS: Final = ENGINE + "SET {scope} lock_timeout = '500ms';"
"""Somebody else's transaction may give the same key to a job, and stay open. The client asks again for 2 s."""

READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;"


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
        settings = self._setting_up if target.pooled else ""
        self._begin, self._begin_reading = "BEGIN;" + settings, READING + settings
        self._on_connect = on_connect
        self._connect = connect
        self._is_open = False
        self._free = asyncio.Semaphore(size)
        self._all: set[Connection] = set()
        self._idle: list[Connection] = []

    async def open(self) -> None:
        """Be ready to connect. Idempotent."""
        self._is_open = True

    @property
    def is_idle(self) -> bool:
        """Whether there is a connection that nobody uses."""
        return bool(self._idle)

    async def close(self) -> None:
        """Wait for those who use a connection, then let go of every one. Idempotent."""
        if not self._is_open:
            return
        self._is_open, free = False, self._free
        with suppress(*ERRORS):
            async with asyncio.timeout(CONNECT_SECONDS):
                for _ in range(self._size):
                    await free.acquire()
                for connection in self._idle:
                    await connection.close()
        for connection in self._all:
            connection.terminate()
        self._start_anew()
        for _ in range(self._size):  # whoever still waits is told
            free.release()

    def abandon(self) -> None:
        """Forget the connections without a word to the server: they are those of the process that forked this one."""
        self._is_open = False
        self._start_anew()

    def _start_anew(self) -> None:
        self._free = asyncio.Semaphore(self._size)
        self._all, self._idle = set(), []

    async def _make(self) -> Connection:
        connection = await connect(
            self._target,
            self._connect,
            command_timeout=self._seconds,
            max_cached_statement_lifetime=0,
            # the session that a pooler gives next does not know what this one has prepared
            statement_cache_size=0 if self._target.pooled else PREPARED,
        )
        try:
            if not self._target.pooled:
                await connection.execute(self._setting_up)
        except BaseException:
            connection.terminate()
            raise
        if self._on_connect is not None:
            self._on_connect()
        self._all.add(connection)
        return connection

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

    async def read(self, steps: Steps[T]) -> T:
        """Drive a verb that only reads: all of its statements see the same moment. Raises as `do`."""
        async with self._lent(None) as connection, _transaction(connection, self._begin_reading):
            return await drive(connection, self._statements, steps)

    @asynccontextmanager
    async def _lent(self, seconds: float | None) -> AsyncGenerator[Connection]:
        """One connection; one whose last call failed is thrown away unless the server itself refused."""
        free = self._free
        try:
            async with asyncio.timeout(self._seconds if seconds is None else seconds):
                await free.acquire()
        except TimeoutError as error:
            raise explain(error, self._target.place) from error
        try:
            if not self._is_open:
                raise StoreClosed("The store is closed.", hint="Open it before use.")
            connection = self._taken() or await self._make()
            try:
                yield connection
            except BaseException as error:
                # who was cancelled has left something under way
                if lost(error) or isinstance(error, asyncio.CancelledError):
                    self._throw_away(connection)
                raise
            finally:
                if connection in self._all:
                    self._idle.append(connection)
        except ERRORS as error:
            raise explain(error, self._target.place) from error
        finally:
            free.release()

    def _taken(self) -> Connection | None:
        """The connection that was used last and still stands."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._throw_away(connection)
        return None

    def _throw_away(self, connection: Connection) -> None:
        self._all.discard(connection)
        connection.terminate()


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
                connection.terminate()
        raise
    await connection.execute("COMMIT")
