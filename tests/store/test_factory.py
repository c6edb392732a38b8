"""From a URL to a store and a bell."""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ferryman.domain.errors import BadSetting, DriverMissing
from ferryman.domain.ids import IdMinter
from ferryman.store.bell import Silent
from ferryman.store.factory import bell_of, is_postgres, locks_folder, make_store, sqlite_path
from ferryman.store.memory import MemoryStore
from ferryman.store.postgres import PostgresStore
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


def test_a_server_is_no_database() -> None:
    with pytest.raises(BadSetting, match="needs the database itself"):
        made("http://queue.internal:8080")


def test_each_url_gives_its_store_and_its_bell() -> None:
    assert isinstance(made("sqlite:///jobs.db"), SqliteStore)
    assert isinstance(made("memory://"), MemoryStore)
    assert isinstance(bell_of(made("sqlite:///jobs.db")), Doorbell)
    assert isinstance(bell_of(made("memory://")), Silent)


def test_a_postgresql_url_gives_its_store_and_its_bell() -> None:
    store = made("postgresql://ada@db/shop")
    assert isinstance(store, PostgresStore)
    assert bell_of(store) is store.bell


def test_who_lacks_the_driver_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("ferryman.store.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(DriverMissing, match=r"pip install 'ferryman\[postgres\]'"):
        made("postgresql://ada:sesame@db/shop")


def test_what_else_cannot_be_imported_is_no_missing_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ferryman.store.postgres", None)
    with pytest.raises(ImportError, match=r"ferryman\.store\.postgres"):
        made("postgresql://ada@db/shop")


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://jobs.db", "mysql://there", ""])
def test_a_url_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL"):
        made(url)


def test_a_postgresql_url_gives_the_store_of_many_nodes() -> None:
    store = made("postgresql://u@h/d")
    assert isinstance(store, PostgresStore)
    assert bell_of(store) is store.bell
    assert is_postgres("postgres://u@h/d")


def test_without_the_driver_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", missing("asyncpg"))
    with pytest.raises(DriverMissing, match=r"ferryman\[postgres\]"):
        made("postgresql://u@h/d")


def test_another_module_that_is_missing_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", missing("elsewhere"))
    with pytest.raises(ImportError, match="elsewhere"):
        made("postgresql://u@h/d")


def missing(name: str) -> Callable[[str], object]:
    """An import that fails for want of a module."""

    def fail(_wanted: str) -> object:
        raise ImportError(f"No module named {name}", name=name)

    return fail


def test_lock_files_of_one_user_lie_in_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert locks_folder().parent == Path("/run/user/7")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert locks_folder().parent == Path(tempfile.gettempdir())
