"""docs/postgres.md is right: what it says in SQL is said to a server."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import psycopg

from ferryman.cli.server_findings import CONNECTIONS
from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from tests.postgres.databases import Databases
from tests.servers import ROLE, as_role, empty, migrated, role, said

TEXT = (Path(__file__).parent.parent / "docs" / "postgres.md").read_text(encoding="utf-8")


BLOCKS = re.findall(r"^```sql\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def blocks(word: str) -> list[str]:
    """Those that begin so."""
    return [each for each in BLOCKS if each.startswith(word)]


def test_the_roles_and_the_database_of_the_set_up_are_made(postgres: Databases) -> None:
    [setup] = blocks("CREATE ROLE")
    name = f"ferryman_test_shop_{os.getpid()}"  # roles and databases belong to the whole server
    statements = [each.replace("shop", name) for each in setup.split(";\n") if each]
    with empty(postgres) as url, psycopg.connect(url, autocommit=True) as connection:
        try:
            for each in statements:
                connection.execute(each.encode())
            shop = f"{url.rpartition('/')[0]}/{name}"
            asyncio.run(Schema(Target.of(as_role(shop, f"{name}_owner", "one secret"))).migrate(f"{name}_runs"))
            asyncio.run(Schema(Target.of(as_role(shop, f"{name}_runs", "another"))).check())
        finally:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"DROP ROLE IF EXISTS {name}_owner, {name}_runs".encode())


def test_the_rights_are_those_that_are_granted(postgres: Databases) -> None:
    [grants] = blocks("GRANT")
    with migrated(postgres) as url, role(url):
        script = asyncio.run(Schema(Target.of(url)).script(ROLE))
    assert script == f"-- rights\nBEGIN;\n{grants}COMMIT;\n".replace("shop_runs", ROLE)


def test_the_queries_are_answered(postgres: Databases) -> None:
    queries = blocks("SELECT")
    assert len(queries) == len(BLOCKS) - 2
    with migrated(postgres) as url:
        for each in ";\n".join(queries).split(";\n"):
            if each:
                said(url, each)


def test_a_node_takes_as_many_connections_as_check_counts() -> None:
    assert f"A node makes up to {CONNECTIONS}:" in TEXT
    assert f"{CONNECTIONS} x nodes" in TEXT
