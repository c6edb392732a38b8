"""A PostgreSQL database for a test, and stores on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.postgres.databases import Databases
from tests.postgres.proxy import Proxy
from tests.store.postgres_place import Place


@pytest.fixture
def database(postgres: Databases) -> Iterator[str]:
    """The URL of a database with our tables."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@pytest.fixture
async def place(database: str, tmp_path: Path) -> AsyncIterator[Place]:
    """A store on the database, with a node and accounts; the tests of transactions on SQLite have one of their own."""
    place = Place(database, tmp_path)
    await place.open()
    yield place
    await place.store.close()


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    """A way to the database that can be hurt."""
    with Proxy(database) as way:
        yield way
