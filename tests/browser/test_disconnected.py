"""A server that goes and comes back under an open page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.looks import DARK, DESK, PHONE
from tests.browser.pages import PATIENCE, fragment, show
from tests.browser.served import Site
from tests.browser.visits import Visits

BACK = 60_000
"""Milliseconds in which a page has to have noticed that the server is there again."""


@pytest.mark.parametrize("name", ["overview", "jobs", "queues"])
def test_a_page_says_that_it_is_disconnected_and_that_it_is_back(fresh: Site, visits: Visits, name: str) -> None:
    watched = visits.open(fresh.url)
    page = watched.page
    show(page, fragment(name, {}))
    expect(page.get_by_role("status").filter(has_text="Live").first).to_be_visible(timeout=PATIENCE)
    with watched.server_gone():
        fresh.stop()
        expect(page.get_by_role("alert").filter(has_text="Disconnected")).to_be_visible(timeout=PATIENCE)
        assert grave(page) == []
        fresh.start()
        expect(page.get_by_text("Connected again")).to_be_visible(timeout=BACK)
    expect(page.get_by_role("alert").filter(has_text="Disconnected")).to_have_count(0)
    job = fresh.ask("POST", "/jobs", {"type": "keep"})
    page.goto(f"/#/jobs/{job['id']}")
    expect(page.locator("main h1")).to_be_visible()


@pytest.mark.parametrize("look", [DESK, DARK, PHONE])
def test_an_empty_store_is_no_empty_page(fresh: Site, visits: Visits, look: object) -> None:
    page = visits.open(fresh.url, look).page  # type: ignore[arg-type]
    for name in ("overview", "jobs", "errors", "queues", "keys", "audit", "operations"):
        show(page, fragment(name, {}))
        assert page.locator("main").inner_text().strip()
        assert grave(page) == []
