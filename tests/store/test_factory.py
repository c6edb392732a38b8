"""From a URL to a store and a bell."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ferryman.domain.errors import BadSetting
from ferryman.domain.ids import IdMinter
from ferryman.store.bell import Silent
from ferryman.store.factory import bell_of, make_store, sqlite_path
from ferryman.store.memory import MemoryStore
from ferryman.store.protocol import Store
from ferryman.store.sqlite import Doorbell, SqliteStore
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance.harness import RETENTION
from tests.store.files import inline


def made(url: str) -> Store:
    return make_store(url, clock=ManualClock(), ids=IdMinter(random.Random(1)), retention=RETENTION, runner=inline)


def test_three_slashes_are_relative_and_four_are_absolute() -> None:
    assert sqlite_path("sqlite:///jobs.db") == Path("jobs.db")
    assert sqlite_path("sqlite:////var/jobs.db") == Path("/var/jobs.db")
    assert sqlite_path("memory://") is None


def test_each_url_gives_its_store_and_its_bell() -> None:
    assert isinstance(made("sqlite:///jobs.db"), SqliteStore)
    assert isinstance(made("memory://"), MemoryStore)
    assert isinstance(bell_of(made("sqlite:///jobs.db")), Doorbell)
    assert isinstance(bell_of(made("memory://")), Silent)


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://jobs.db", "mysql://there", ""])
def test_a_url_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL"):
        made(url)
