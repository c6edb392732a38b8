"""The SQLite store passes the conformance suite."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from ferryman.testing.conformance import Harness, StoreConformance
from tests.store.harnesses import SqliteHarness


class TestSqliteStore(StoreConformance):
    @pytest.fixture
    def make_harness(self, tmp_path: Path) -> Callable[[], Harness]:
        numbers = count()

        def make() -> SqliteHarness:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            return SqliteHarness(folder)

        return make
