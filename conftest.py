"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.postgres.databases import Databases, lent
from tests.postgres.schema import migrate

# pytest explains failed assertions only in modules that it was told of before they are imported
pytest.register_assert_rewrite("ferryman.testing.conformance")


@pytest.fixture
def anyio_backend() -> str:
    """Coroutine tests run on asyncio, as Ferryman does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """Databases on a PostgreSQL, which is started for the first test that asks."""
    with lent(os.environ, migrate) as databases:
        yield databases
