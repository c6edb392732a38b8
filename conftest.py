"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres.databases import Databases, in_memory, lent
from tests.postgres.schema import migrate

# pytest explains failed assertions only in modules that it was told of before they are imported
pytest.register_assert_rewrite("ferryman.testing.conformance")

# how long an example takes says how busy the machine is: a test that was slow once, and not when it was tried again,
# would be said to be flaky
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


# `tmp_path` is where syncing a file costs nothing, as the stores on SQLite do with each commit: what a crash of the
# machine would lose does not matter here
if (memory := in_memory()) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


@pytest.fixture
def anyio_backend() -> str:
    """Coroutine tests run on asyncio, as Ferryman does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """Databases on a PostgreSQL, which is started for the first test that asks."""
    with lent(os.environ, migrate) as databases:
        yield databases
