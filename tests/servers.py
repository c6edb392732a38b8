"""Databases of PostgreSQL with our tables in them, each for one test."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
from psycopg import sql

from ferryman.store.postgres.schema import Schema
from ferryman.store.postgres.target import Target
from tests.postgres.databases import Databases

ROLE = f"ferry_runs_{os.getpid()}"
"""A role belongs to the whole server, which others may use, too."""


@contextlib.contextmanager
def empty(databases: Databases) -> Iterator[str]:
    """The URL of a database without our tables."""
    url = databases.empty()
    try:
        yield url
    finally:
        databases.drop(url)


@contextlib.contextmanager
def migrated(databases: Databases) -> Iterator[str]:
    """The URL of a database with them."""
    with empty(databases) as url:
        asyncio.run(Schema(Target.of(url)).migrate())
        yield url


@contextlib.contextmanager
def role(url: str, name: str = ROLE) -> Iterator[str]:
    """The URL for a new role on that server, who may do nothing yet."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'sesame'").format(sql.Identifier(name)))
    try:
        yield as_role(url, name)
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def as_role(url: str, name: str, password: str = "sesame") -> str:
    """The same database, another user."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{name}:{quote(password)}@{rest.rpartition('@')[2]}"


def said(url: str, statement: str) -> list[tuple[object, ...]]:
    """Say something to a database, as whoever the URL names; gives the rows, if there are any."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []
