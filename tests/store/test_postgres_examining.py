"""What can be seen of a server without opening a store."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from ferryman.domain.errors import StoreUnreachable
from ferryman.domain.ids import IdMinter
from ferryman.store.postgres import PostgresStore, examining
from ferryman.store.postgres.examining import Examined, examine
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.statements import migrations
from ferryman.store.postgres.target import Target
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from tests.postgres.databases import Databases
from tests.servers import ROLE, empty, migrated, role, said
from tests.store.files import new_job


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    with migrated(postgres) as url:
        yield url


def look(url: str) -> Examined:
    return asyncio.run(examine(Target.of(url), time.time))


def test_a_server_as_its_owner_sees_it(url: str) -> None:
    seen = look(url)
    assert seen.applied == migrations()[-1][0]
    assert [(seen.server.user,)] == said(url, "SELECT current_user")
    assert (seen.server.read_only, seen.pooled) == (False, False)
    assert seen.server.version[:2].isdigit()
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert said(url, f"SHOW {name}") == [(getattr(seen.server, name),)]
    assert seen.rights is not None
    assert (seen.rights.may_use, seen.rights.owner, seen.rights.lacks) == (True, True, [])
    assert (seen.old, seen.pending) == ({}, {})


def test_a_database_without_tables(postgres: Databases) -> None:
    with empty(postgres) as url:
        seen = look(url)
        assert (seen.applied, seen.rights, seen.pending) == (0, None, {})


def test_a_role_without_and_with_rights(url: str) -> None:
    with role(url) as theirs:
        seen = look(theirs)
        assert seen.rights is not None
        assert (seen.rights.may_use, seen.rights.owner, seen.applied) == (False, False, 0)
        said(url, f"GRANT USAGE ON SCHEMA ferryman TO {ROLE}; GRANT SELECT ON ferryman.migration TO {ROLE}")
        seen = look(theirs)
        assert seen.rights is not None
        assert seen.rights.may_use and "INSERT on job" in seen.rights.lacks
        assert not any("migration" in each for each in seen.rights.lacks)
        asyncio.run(Schema(Target.of(url)).migrate(ROLE))
        seen = look(theirs)
        assert seen.rights is not None
        assert (seen.rights.owner, seen.rights.lacks) == (False, [])


def test_what_is_pending_by_type(url: str, tmp_path: Path) -> None:
    async def hand_in() -> None:
        clock = ManualClock()
        store = PostgresStore(url, clock=clock, retention=RETENTION, locks=tmp_path)
        ids = IdMinter(random.Random(1))
        await store.open()
        await store.insert([new_job(ids.mint(clock.now())) for _ in range(2)], clock.now())
        await store.close()

    asyncio.run(hand_in())
    assert look(url).pending == {"t": 2}


def test_a_server_that_takes_no_writes(url: str) -> None:
    said(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    assert look(url).server.read_only


def test_room_ends_where_the_first_limit_is(url: str) -> None:
    most = said(url, "SELECT current_setting('max_connections')::integer")[0][0]
    assert isinstance(most, int)
    assert 0 < look(url).server.room < most
    said(url, f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT 12")
    assert look(url).server.room == 10, "two are those that look"
    with role(url) as theirs:
        said(url, f"ALTER ROLE {ROLE} CONNECTION LIMIT 3")
        assert look(theirs).server.room == 1


def test_old_transactions_are_told_with_who_has_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "OLD_SECONDS", 0.0)
    with psycopg.connect(f"{url}?application_name=report", autocommit=True) as idle, psycopg.connect(url) as reading:
        pid = idle.info.backend_pid
        idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        idle.execute("SELECT 1")
        reading.execute("SELECT 1")  # read committed, between two statements: it holds nothing up
        told = list(look(url).old)
    [(user,)] = said(url, "SELECT current_user")
    assert told == [f"process {pid} of {user} (report, idle in transaction)"]
    assert look(url).old == {}


@pytest.mark.parametrize("hours", [0, 1])
def test_the_clocks_are_compared(url: str, hours: int) -> None:
    seen = asyncio.run(examine(Target.of(url), lambda: time.time() - 3600 * hours))
    assert seen.ahead == pytest.approx(3600 * hours, abs=60)


def test_one_connection_lent_to_two_in_turns_is_a_pooler(url: str) -> None:
    """What a pooler in transaction mode does: who asks next gets the connection that the last one has given back."""

    class Lent:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        async def close(self) -> None:
            """It stays with the pooler."""

    async def play() -> Examined:
        connection = await asyncpg.connect(url)

        async def connect() -> Any:
            return Lent(connection)

        try:
            return await examine(Target.of(url), time.time, connect)
        finally:
            await connection.close()

    assert asyncio.run(play()).pooled


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1,"):
        look("postgresql://ada:sesame@127.0.0.1:1/shop")
