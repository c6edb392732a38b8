"""The tables: numbered scripts, each applied in a transaction, by one process at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from ferryman.domain.errors import SchemaMissing, ServerTooOld
from ferryman.store.postgres.failures import ERRORS, explain
from ferryman.store.postgres.own import Connect, connect
from ferryman.store.postgres.statements import Statements, migrations
from ferryman.store.postgres.target import Target

OLDEST_SERVER: Final = 140_000
LOCK: Final = 0x6665727279
"""The advisory lock under which one process migrates: "ferry" in hexadecimal."""
TAKE_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
HAS_TABLE: Final = "SELECT to_regclass('ferryman.migration') IS NOT NULL"
APPLIED: Final = "SELECT coalesce(max(number), 0) FROM ferryman.migration"
NOTE: Final = "INSERT INTO ferryman.migration (number) VALUES ($1)"


class Schema:
    """What a database has of our tables, and how it gets the rest."""

    def __init__(self, target: Target, connect: Connect = asyncpg.connect) -> None:
        self._target = target
        self._connect = connect

    @property
    def newest(self) -> int:
        """The number of the newest migration that this version has."""
        return migrations()[-1][0]

    async def check(self) -> None:
        """Refuse a database that lacks the tables of this version.

        One that is further is fine: migrations only add what the version before can live with.

        Raises:
            SchemaMissing, ServerTooOld, StoreError
        """
        number, newest = await self.applied(), self.newest
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
            return await applied_on(connection)

    async def script(self, role: str | None = None) -> str:
        """What `migrate` would run, for psql; empty where nothing is missing. Raises as `check`."""
        async with self._connected() as connection:
            applied = await applied_on(connection)
            steps = [_step(number, text) for number, text in migrations() if number > applied]
            if role is not None:
                steps.append(
                    "\n".join(
                        [
                            "-- rights",
                            "BEGIN;",
                            *(f"{each};" for each in await _grants(connection, role)),
                            "COMMIT;",
                            "",
                        ]
                    )
                )
        return "\n".join(steps)

    async def migrate(self, role: str | None = None) -> list[int]:
        """Apply what is missing; gives the numbers of what was applied. Raises as `check`.

        A `role` is granted what it needs to run nodes, also on the tables of later migrations.
        """
        done: list[int] = []
        async with self._connected() as connection:
            for number, script in migrations():
                async with connection.transaction():
                    await connection.execute(TAKE_LOCK, LOCK)
                    if await applied_on(connection) < number:
                        await connection.execute(script)
                        await connection.execute(NOTE, number)
                        done.append(number)
            if role is not None:
                async with connection.transaction():
                    await connection.execute(TAKE_LOCK, LOCK)
                    for each in await _grants(connection, role):
                        await connection.execute(each)
        return done

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Any]:
        try:
            connection = await connect(self._target, self._connect, statement_cache_size=0)
            try:
                yield connection
            finally:
                await connection.close()
        except ERRORS as error:
            raise explain(error, self._target.place) from error


def _step(number: int, text: str) -> str:
    """One migration as `migrate` runs it. Run again, it fails at its first table and changes nothing."""
    lock, note = TAKE_LOCK.replace("$1", str(LOCK)), NOTE.replace("$1", str(number))
    return "\n".join([f"-- schema {number}", "BEGIN;", f"{lock};", text.strip(), f"{note};", "COMMIT;", ""])


async def _grants(connection: Any, role: str) -> list[str]:
    return [row[0] for row in await connection.fetch(Statements()["grants"], role)]


async def applied_on(connection: Any) -> int:
    """As `Schema.applied`, over a connection that is open. Raises ServerTooOld."""
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
