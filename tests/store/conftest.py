"""A PostgreSQL database for a test, and stores on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres.databases import Databases
from tests.postgres.proxy import Proxy


@pytest.fixture
def database(postgres: Databases) -> Iterator[str]:
    """The URL of a database with our tables."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    """A way to the database that can be hurt."""
    with Proxy(database) as way:
        yield way
