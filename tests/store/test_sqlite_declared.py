"""What types declare, in the file: who writes it, what it costs, and how nodes of the version before get on with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ferryman.domain.keyed import KeyedByArgument
from ferryman.domain.keys import GateRule
from ferryman.store.protocol import Declaration, NodeInfo
from ferryman.store.sqlite import database
from ferryman.store.sqlite.statements import Statements, migrations
from tests.store.files import node_info, sqlite_store

pytestmark = pytest.mark.anyio

MAIL = Declaration("mail", 3, 1, frozenset({"token", "password"}))
ADD_TYPE = "INSERT INTO type (name, registered_at) VALUES (?, ?) ON CONFLICT DO NOTHING"
"""As the version with schema 1 has it."""
TYPES = "SELECT json_group_array(name) FROM type"
"""The same."""


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """The connection of a node of the version with schema 1, which made the file and goes on running."""
    with monkeypatch.context() as version:
        version.setattr(database, "migrations", lambda: migrations()[:1])
        connection = database.open_migrated(tmp_path / "jobs.db")
    with closing(connection):
        yield connection


def declaring(id: str, declaration: Declaration) -> NodeInfo:
    return msgspec.structs.replace(node_info(id), declared={"t": declaration})


async def test_types_of_older_nodes_have_the_defaults_until_a_newer_one_registers(
    tmp_path: Path, before: sqlite3.Connection
) -> None:
    before.execute(ADD_TYPE, ("t", 1))
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    assert await store.known_types() == {"t": Declaration()}
    await store.register(declaring("n", MAIL), 2)
    assert await store.known_types() == {"t": MAIL}
    await store.close()


async def test_an_older_node_goes_on_beside_newer_ones(tmp_path: Path, before: sqlite3.Connection) -> None:
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    await store.register(declaring("n", MAIL), 1)
    before.execute(ADD_TYPE, ("t", 2))
    before.execute(ADD_TYPE, ("other", 2))
    (names,) = before.execute(TYPES).fetchone()
    assert sorted(msgspec.json.decode(names)) == ["other", "t"]
    assert await store.known_types() == {"t": MAIL, "other": Declaration()}
    await store.close()


def test_the_upgrade_is_one_column(tmp_path: Path, before: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "migrations", lambda: migrations()[:2])
    assert database.inspect(tmp_path / "jobs.db") == 1
    script = database.upgrade_script(1)
    step = script.partition("-- schema 2\n")[2].partition("-- schema")[0]
    assert "ALTER TABLE type ADD COLUMN declared" in step
    assert "CREATE TABLE" not in step
    before.executescript(script)
    assert database.inspect(tmp_path / "jobs.db") == database.newest_schema()


def test_a_registration_writes_what_has_changed_and_nothing_else(tmp_path: Path) -> None:
    def written(*rows: tuple[str, int, str | None]) -> int:
        values = [value for row in rows for value in row]
        return connection.execute(Statements().rows("add_types", len(rows)), values).rowcount

    with closing(database.open_migrated(tmp_path / "jobs.db")) as connection:
        assert written(("a", 1, None), ("b", 1, '{"queue":"mail"}')) == 2
        assert written(("a", 2, None), ("b", 2, '{"queue":"mail"}')) == 0
        assert written(("a", 3, '{"queue":"post"}'), ("b", 3, None)) == 1
        assert written(("a", 4, '{"queue":"post"}'), ("b", 4, '{"queue":"post"}')) == 1
        rows = connection.execute("SELECT name, registered_at, declared FROM type ORDER BY name").fetchall()
        assert rows == [("a", 1, '{"queue":"post"}'), ("b", 1, '{"queue":"post"}')]


async def test_one_declaration_is_one_text_whatever_the_order_of_its_secrets(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    names = [f"name{n}" for n in range(10)]
    await store.register(declaring("n", Declaration("mail", 3, 1, frozenset(names))), 0)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        (text,) = connection.execute("SELECT declared FROM type").fetchone()
    secrets = msgspec.json.encode(names).decode()
    assert text == f'{{"queue":"mail","priority":3,"max_attempts":1,"secrets":{secrets},"after_crashes":null}}', (
        "whatever the order of the set"
    )


async def test_a_declaration_of_keys_is_kept(tmp_path: Path) -> None:
    keyed = Declaration(keyed=KeyedByArgument(GateRule(concurrency=2), "customer", "all"))
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    await store.register(declaring("n", keyed), 0)
    assert await store.known_types() == {"t": keyed}
    await store.close()


@pytest.mark.parametrize("keyed", [None, KeyedByArgument(GateRule(concurrency=2), "customer")], ids=["plain", "keyed"])
async def test_a_schema_is_kept_and_written_once(tmp_path: Path, keyed: KeyedByArgument | None) -> None:
    mail = Declaration("mail", keyed=keyed, arguments='{"type":"object"}')
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute("CREATE TABLE written AS SELECT declared FROM type")
        told = "INSERT INTO written VALUES (new.declared)"
        for event in ("INSERT", "UPDATE"):
            connection.execute(f"CREATE TRIGGER told_{event} AFTER {event} ON type BEGIN {told}; END")
        connection.commit()
        for id in ("first", "second"):
            await store.register(declaring(id, mail), 0)
        [(text,)] = connection.execute("SELECT declared FROM written").fetchall()
    assert msgspec.json.decode(text)["arguments"] == '{"type":"object"}'
    assert ("keyed" in text) is (keyed is not None)
    assert await store.known_types() == {"t": mail}
    await store.close()


async def test_what_a_later_version_adds_to_a_declaration_is_passed_over(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "jobs.db")
    await store.open()
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute("INSERT INTO type VALUES ('t', 0, ?)", ('{"queue":"mail","rate":[1,2]}',))
        connection.commit()
    assert await store.known_types() == {"t": Declaration("mail")}
    await store.close()
