"""A server that has no room for another stream: the page asks now and then in its place, and takes one when it can."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import grave
from tests.browser.pages import PATIENCE, fragment, show
from tests.browser.served import Site, serving
from tests.browser.visits import Visits

CONNECTIONS = 24
LASTING = CONNECTIONS * 3 // 4
"""What streams may take of them: see http/lasting.py."""
RETRY = 20_000
"""Milliseconds after which a page has tried to get a stream again."""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Site]:
    """A site for few who look."""
    with serving(tmp_path, f"sqlite:///{tmp_path}/jobs.db", {"MAX_CONNECTIONS": CONNECTIONS}) as site:
        yield site


@contextmanager
def crowd(site: Site) -> Iterator[None]:
    """Others take every stream that there is, as long as the block lasts."""
    place = urlsplit(site.url)
    with ExitStack() as others:
        for _ in range(LASTING):
            other = others.enter_context(closing(http.client.HTTPConnection(place.hostname or "", place.port)))
            other.request("GET", "/live")
            assert other.getresponse().status == 200
        yield


def says(page: Page, words: str) -> Locator:
    return page.locator("aside").get_by_role("status").filter(has_text=words)


def failed(page: Page) -> Locator:
    return page.get_by_title("Failed for good").get_by_role("definition")


def test_a_page_that_gets_no_stream_asks_now_and_then_and_gets_one_later(small: Site, visits: Visits) -> None:
    watched = visits.open(small.url)
    watched.expect(429, "/live")
    page = watched.page
    page.clock.install()
    with crowd(small):
        show(page, fragment("overview", {}))
        expect(says(page, "Every 2 s")).to_be_visible(timeout=PATIENCE)
        expect(failed(page)).to_have_text("0")
        small.ask("POST", "/jobs", {"type": "fail"})
        expect(failed(page)).to_have_text("1", timeout=PATIENCE)
        small.ask("POST", "/jobs", {"type": "keep", "queue": "another", "delay": 3600})
        expect(page.locator("main").get_by_role("link", name="another")).to_be_visible(timeout=PATIENCE)
        assert grave(page) == []
    page.clock.fast_forward(RETRY)
    expect(says(page, "Live")).to_be_visible(timeout=PATIENCE)
