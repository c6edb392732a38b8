"""The tables: numbered scripts, each applied in a transaction, by one process at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from ferryman.domain.errors import SchemaMissing, ServerTooOld
from ferryman.store.postgres.failures import ERRORS, explain
from ferryman.store.postgres.statements import migrations
from ferryman.store.postgres.target import Target

CONNECT_SECONDS: Final = 1.5
OLDEST_SERVER: Final = 140_000
LOCK: Final = 0x6665727279
"""The advisory lock under which one process migrates: "ferry" in hexadecimal."""
TAKE_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
HAS_TABLE: Final = "SELECT to_regclass('ferryman.migration') IS NOT NULL"
APPLIED: Final = "SELECT coalesce(max(number), 0) FROM ferryman.migration"
NOTE: Final = "INSERT INTO ferryman.migration (number) VALUES ($1)"


class Schema:
    """What a database has of our tables, and how it gets the rest."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def check(self) -> None:
        """Refuse a database that lacks the tables of this version.

        One that is further is fine: migrations only add what the version before can live with.

        Raises:
            SchemaMissing, ServerTooOld, StoreError
        """
        number, newest = await self.applied(), migrations()[-1][0]
        if number < newest:
            has = f"has its tables as of migration {number}, not {newest}" if number else "does not have its tables"
            raise SchemaMissing(
                f"This version of Ferryman cannot use the database at {self._target.place}: it {has}.",
                hint="Run `ferryman migrate` with a role that may create tables.",
            )

    async def applied(self) -> int:
        """The number of the newest migration that the database has; 0 where there is none. Raises as `check`."""
        # a transaction is all that a pooler keeps together
        async with self._connected() as connection, connection.transaction():
            return await _applied(connection)

    async def migrate(self) -> list[int]:
        """Apply what is missing; gives the numbers of what was applied. Raises as `check`."""
        done: list[int] = []
        async with self._connected() as connection:
            for number, script in migrations():
                async with connection.transaction():
                    await connection.execute(TAKE_LOCK, LOCK)
                    if await _applied(connection) < number:
                        await connection.execute(script)
                        await connection.execute(NOTE, number)
                        done.append(number)
        return done

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Any]:
        try:
            connection = await asyncpg.connect(self._target.url, timeout=CONNECT_SECONDS, statement_cache_size=0)
            try:
                yield connection
            finally:
                await connection.close()
        except ERRORS as error:
            raise explain(error, self._target.place) from error


async def _applied(connection: Any) -> int:
    version = int(await connection.fetchval("SHOW server_version_num"))
    if version < OLDEST_SERVER:
        raise ServerTooOld(
            f"The server is PostgreSQL {version // 10_000}.",
            why="The store needs what came with PostgreSQL 14.",
            hint="Use PostgreSQL 14 or later.",
        )
    if not await connection.fetchval(HAS_TABLE):
        return 0
    number: int = await connection.fetchval(APPLIED)
    return number
