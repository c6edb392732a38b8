"""The PostgreSQL store passes the conformance suite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ferryman.testing.conformance import Harness, StoreConformance
from tests.postgres.databases import Databases
from tests.store.harnesses import PostgresHarness


class TestPostgres(StoreConformance):
    @pytest.fixture
    def make_harness(self, postgres: Databases, tmp_path: Path) -> Callable[[], Harness]:
        return lambda: PostgresHarness(postgres, tmp_path)
