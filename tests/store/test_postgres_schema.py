"""The tables of PostgreSQL: made by us or by psql, for one role or for two."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import psycopg
import pytest

from ferryman.domain.errors import SchemaMissing, ServerTooOld, StoreFailed, StoreUnreachable
from ferryman.store.postgres import schema
from ferryman.store.postgres.schema import Schema, applied_on
from ferryman.store.postgres.statements import FOLDER, Statements, migrations
from ferryman.store.postgres.target import Target
from tests.postgres.databases import Databases
from tests.servers import ROLE, empty, role, said

NEWEST = migrations()[-1][0]
MORE = (99, "CREATE TABLE ferryman.more (x integer PRIMARY KEY);\n")
GRANTED = "SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = '%s' AND table_name = '%s'"


@pytest.fixture
def url(postgres: Databases) -> Iterator[str]:
    with empty(postgres) as url:
        yield url


def schema_of(url: str) -> Schema:
    return Schema(Target.of(url))


def run(url: str, script: str) -> None:
    """As psql runs a file: each statement by itself, until one fails."""
    said(url, script)


def tables(url: str) -> list[object]:
    return [row[0] for row in said(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'ferryman' ORDER BY 1")]


def test_what_is_missing_is_applied_once(url: str) -> None:
    made = schema_of(url)
    assert asyncio.run(made.applied()) == 0
    assert asyncio.run(made.migrate()) == [number for number, _ in migrations()]
    assert asyncio.run(made.migrate()) == []
    assert asyncio.run(made.applied()) == made.newest == NEWEST
    asyncio.run(made.check())


def test_the_script_does_what_migrate_does(url: str, postgres: Databases) -> None:
    run(url, asyncio.run(schema_of(url).script()))
    assert asyncio.run(schema_of(url).applied()) == NEWEST
    assert asyncio.run(schema_of(url).script()) == ""
    with empty(postgres) as other:
        asyncio.run(schema_of(other).migrate())
        assert tables(other) == tables(url)


def test_a_script_that_is_run_twice_changes_nothing(url: str) -> None:
    script = asyncio.run(schema_of(url).script())
    run(url, script)
    before = tables(url)
    with pytest.raises(psycopg.errors.DuplicateTable):
        run(url, script)
    assert tables(url) == before
    assert said(url, "SELECT count(*) FROM ferryman.migration") == [(len(migrations()),)]


def test_only_what_is_missing_is_in_the_script(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(schema_of(url).migrate())
    monkeypatch.setattr(schema, "migrations", lambda: [*migrations(), MORE])
    with pytest.raises(SchemaMissing, match=f"as of migration {NEWEST}, not 99"):
        asyncio.run(schema_of(url).check())
    script = asyncio.run(schema_of(url).script())
    assert "ferryman.more" in script and "ferryman.lane" not in script
    run(url, script)
    asyncio.run(schema_of(url).check())


def test_a_migration_that_fails_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (99, "CREATE TABLE ferryman.more (x integer); SELECT 1 / 0;")
    monkeypatch.setattr(schema, "migrations", lambda: [*migrations(), wrong])
    with pytest.raises(StoreFailed, match="division by zero"):
        asyncio.run(schema_of(url).migrate())
    assert asyncio.run(schema_of(url).applied()) == NEWEST
    assert "more" not in tables(url)


def test_a_database_without_tables_is_refused(url: str) -> None:
    with pytest.raises(SchemaMissing, match="does not have its tables"):
        asyncio.run(schema_of(url).check())


def test_an_old_server_is_refused() -> None:
    class Old:
        async def fetchval(self, statement: str) -> Any:
            return "130011"

    with pytest.raises(ServerTooOld, match="PostgreSQL 13"):
        asyncio.run(applied_on(Old()))


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1, database shop, user ada") as caught:
        asyncio.run(schema_of("postgresql://ada:sesame@127.0.0.1:1/shop").check())
    assert "sesame" not in str(caught.value)


# -- a role that runs nodes ----------------------------------------------------------------------


@pytest.mark.parametrize("by_script", [True, False])
def test_a_role_is_given_rows_to_write_and_no_table_to_make(url: str, *, by_script: bool) -> None:
    with role(url):
        if by_script:
            run(url, asyncio.run(schema_of(url).script(ROLE)))
        else:
            asyncio.run(schema_of(url).migrate(ROLE))
        every = {"SELECT", "INSERT", "UPDATE", "DELETE"}
        fewer = {"migration": {"SELECT"}, "audit": {"SELECT", "INSERT"}}
        for table in tables(url):
            granted = {row[0] for row in said(url, GRANTED % (ROLE, table))}
            assert granted == fewer.get(str(table), every), table
        assert said(url, f"SELECT has_schema_privilege('{ROLE}', 'ferryman', 'CREATE')") == [(False,)]


def test_a_role_may_use_what_a_later_migration_adds(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with role(url):
        asyncio.run(schema_of(url).migrate(ROLE))
        monkeypatch.setattr(schema, "migrations", lambda: [*migrations(), MORE])
        asyncio.run(schema_of(url).migrate())
        assert len(said(url, GRANTED % (ROLE, "more"))) == 4


def test_a_name_that_sql_would_read_otherwise_is_quoted(url: str) -> None:
    with role(url, 'Ferry"; --'):
        assert asyncio.run(schema_of(url).migrate('Ferry"; --')) == [number for number, _ in migrations()]


def test_every_statement_may_be_run_by_such_a_role(url: str) -> None:
    """The server looks at the rights before it would begin to run a statement, and EXPLAIN stops there."""
    with role(url) as theirs:
        asyncio.run(schema_of(url).migrate(ROLE))
        assert asyncio.run(refused(theirs)) == {}


def test_without_the_rights_each_statement_on_a_table_is_refused(url: str) -> None:
    with role(url) as theirs:
        asyncio.run(schema_of(url).migrate())
        assert {"claim", "finish", "insert", "beat", "lock_job"} <= asyncio.run(refused(theirs)).keys()
        with pytest.raises(StoreFailed, match="permission denied for schema ferryman") as caught:
            asyncio.run(schema_of(theirs).check())
    assert "ferryman migrate --role" in caught.value.hint
    assert "sesame" not in str(caught.value)


async def refused(url: str) -> dict[str, str]:
    """Which statements the server refuses for want of a right."""
    connection = await asyncpg.connect(url)
    statements, found = Statements(), dict[str, str]()
    for name in sorted(path.stem for path in FOLDER.glob("*.sql")):
        try:
            prepared = await connection.prepare(statements[name])
            await prepared.explain(*(None for _ in prepared.get_parameters()))
        except asyncpg.PostgresSyntaxError:
            continue  # SAVEPOINT and its like have no plan
        except asyncpg.InsufficientPrivilegeError as error:
            found[name] = str(error)
    await connection.close()
    return found
