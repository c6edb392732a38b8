"""No statement walks over a large table: every one goes in by an index or a bounded stretch of one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.store.sqlite.database import open_migrated
from ferryman.store.sqlite.statements import Statements

LARGE = {
    "job", "ready", "later", "held", "outcome", "result", "failure", "key", "expiry", "progress", "log", "sample",
    "timing", "sighting",
}  # fmt: skip
STATEMENTS = Statements()
WALK = re.compile(r"^SCAN (\w+)(?! USING (?:COVERING )?INDEX)")
NAMES = sorted(path.stem for path in Path(__file__).parents[2].glob("src/ferryman/store/sql/sqlite/*.sql"))
BOUNDED = {
    "next_due": "the first row of the primary key",
}


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The lines of a statement's query plan, every parameter given as 1."""
    named = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    parameters: object = named or (1,) * sql.count("?")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]  # type: ignore[arg-type]


def aliases(sql: str) -> dict[str, str]:
    """alias -> table, for the tables that a statement names."""
    found = re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)(?:\s+AS\s+(\w+))?", sql)
    return {alias or table: table for table, alias in found}


def walks(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The large tables that a statement walks over."""
    names = aliases(sql)
    scanned = [match.group(1) for line in plan(connection, sql) if (match := WALK.match(line))]
    return [names.get(name, name) for name in scanned if names.get(name, name) in LARGE]


@pytest.fixture(params=["empty", "analysed"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A migrated database, without and with the statistics that ANALYZE leaves."""
    with closing(open_migrated(tmp_path / "plans.db")) as connection:
        if request.param == "analysed":
            connection.execute("ANALYZE")
        yield connection


@pytest.mark.parametrize("name", NAMES)
def test_no_statement_walks_over_a_large_table(connection: sqlite3.Connection, name: str) -> None:
    if name not in BOUNDED:
        assert walks(connection, STATEMENTS[name]) == []


def test_a_walk_would_be_seen(connection: sqlite3.Connection) -> None:
    assert walks(connection, "SELECT payload FROM job WHERE lane = :lane") == ["job"]
    assert walks(connection, "SELECT b.status FROM outcome AS b WHERE b.what = :what") == ["outcome"]
