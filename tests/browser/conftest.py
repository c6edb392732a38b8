"""One Chromium for all tests, a page for each, and servers whose stores have something to show."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import launched
from tests.browser.elsewhere import elsewhere
from tests.browser.pages import PATIENCE
from tests.browser.served import Site, Stocked, serving
from tests.browser.visits import Visits
from tests.postgres.databases import Databases

SCOPES = ("enqueue", "read", "work", "operate", "admin")
YARD = {"BEAT": "200ms", "ACCEPT_UNKNOWN_TYPES": "true"}
"""A node hears soon what it is told, and there may be jobs that nobody runs."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with launched(os.environ) as browser:
        yield browser


@pytest.fixture
def visits(chromium: Browser) -> Iterator[Visits]:
    """Opens pages; what they complain of fails the test."""
    with Visits(chromium) as visits:
        yield visits


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def stock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stocked]:
    """A site that is open to all, and a small stock, of which nothing is taken away."""
    folder: Path = tmp_path_factory.mktemp("stock")
    if request.param == "sqlite":
        with serving(folder, f"sqlite:///{folder}/jobs.db") as site:
            yield _filled(site)
        return
    databases: Databases = request.getfixturevalue("postgres")
    url = databases.empty()
    with serving(folder, url) as site:
        yield _filled(site)
    databases.drop(url)


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Mapping[str, str]]]:
    """A site with an API key for each scope, and the texts of the keys; `mail` may operate one queue."""
    folder: Path = tmp_path_factory.mktemp("locked")
    with serving(folder, f"sqlite:///{folder}/jobs.db") as site:
        _filled(site)
        keys = {scope: site.add_api_key(scope, scope) for scope in SCOPES}
        keys["mail"] = site.add_api_key("mail", "operate", queues=("mail",))
        yield site, keys


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Site]:
    """A site of the test's own, with an empty store."""
    with serving(tmp_path, f"sqlite:///{tmp_path}/jobs.db") as site:
        yield site


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on SQLite where tests change things, each under names of its own."""
    folder: Path = tmp_path_factory.mktemp("yard")
    with serving(folder, f"sqlite:///{folder}/jobs.db", YARD) as site:
        yield site


@pytest.fixture(scope="session")
def postgres_yard(tmp_path_factory: pytest.TempPathFactory, postgres: Databases) -> Iterator[Site]:
    """The same on PostgreSQL."""
    url = postgres.empty()
    with serving(tmp_path_factory.mktemp("yard"), url, YARD) as site:
        yield site
    postgres.drop(url)


@pytest.fixture(params=["yard", "postgres_yard"], ids=["sqlite", "postgres"])
def each_yard(request: pytest.FixtureRequest) -> Site:
    """Each of them, for what may be another thing on another store."""
    site: Site = request.getfixturevalue(request.param)
    return site


@pytest.fixture
def other() -> Iterator[str]:
    """The address of another site."""
    with elsewhere() as url:
        yield url


def _filled(site: Site) -> Stocked:
    stocked = Stocked(site)
    stocked.look()
    return stocked


LONG: Final = frozenset({"test_hidden", "test_measures", "test_often", "test_operations", "test_polling", "test_wide"})
"""The files whose tests watch a page for a while."""
LONG_TESTS: Final = frozenset(
    {
        "test_a_node_is_told_to_be_quiet_to_go_on_and_to_stop",
        "test_an_empty_store_is_no_empty_page",
        "test_it_fits_each_window_and_keeps_nobody_out",
    }
)
ON_BOTH: Final = frozenset({"test_it_shows_what_there_is_and_lets_no_text_be_more_than_a_text"})
"""What is always looked at on PostgreSQL, too: every page."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is long, so that it can be left out."""
    for item in items:
        if not item.path.is_relative_to(Path(__file__).parent):
            continue
        test = item.name.partition("[")[0]
        again = "postgres" in item.name and test not in ON_BOTH
        if again or item.path.stem in LONG or test in LONG_TESTS:
            item.add_marker(pytest.mark.long)
