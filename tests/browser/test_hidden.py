"""A tab that nobody sees asks for nothing; seen again, it shows what was missed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, Response, expect

from tests.browser.pages import PATIENCE, fragment, show
from tests.browser.served import Site
from tests.browser.visits import Visits

TURN = """(state) => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Chromium without a window shows each of its tabs at any time, so the page is told otherwise."""
ROUNDS = 3
LONG = 60_000
"""Milliseconds after which every page looks again in any case."""


def opened(visits: Visits, site: Site, name: str) -> Page:
    """A page that is live."""
    page = visits.open(site.url).page
    page.clock.install()
    show(page, fragment(name, {}))
    expect(page.get_by_role("status").filter(has_text="Live").first).to_be_visible(timeout=PATIENCE)
    return page


def hide(page: Page) -> None:
    """Nobody sees it from now on; it lets its stream go."""
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/live")):
        page.evaluate(TURN, "hidden")


def is_data(answer: Response) -> bool:
    return not answer.url.endswith("/live")


def later(site: Site) -> None:
    site.ask("POST", "/jobs", {"type": "keep", "delay": 3600})


@pytest.mark.parametrize("name", ["overview", "jobs", "nodes", "operations"])
def test_it_asks_for_nothing_until_somebody_looks(fresh: Site, visits: Visits, name: str) -> None:
    seen, hidden = opened(visits, fresh, name), opened(visits, fresh, name)
    hide(hidden)
    asked: list[Request] = []
    hidden.on("request", lambda request: asked.append(request))
    hidden.clock.fast_forward(LONG)  # what it would do after so long, it does now
    for _ in range(ROUNDS):
        # when the one has looked again, the other would have, too
        with seen.expect_response(is_data, timeout=PATIENCE):
            later(fresh)
    assert [request.url for request in asked] == []
    with hidden.expect_response(is_data, timeout=PATIENCE):
        hidden.evaluate(TURN, "visible")
    assert f"{fresh.url}/live" in [request.url for request in asked]


def test_it_catches_up(fresh: Site, visits: Visits) -> None:
    page = opened(visits, fresh, "jobs")
    hide(page)
    for _ in range(ROUNDS):
        later(fresh)
    expect(page.get_by_role("status").filter(has_text="Paused").first).to_be_attached()
    page.evaluate(TURN, "visible")
    rows = page.get_by_role("table", name="Jobs").get_by_role("checkbox", name="Mark 0")
    expect(rows).to_have_count(ROUNDS, timeout=PATIENCE)
    expect(page.get_by_role("status").filter(has_text="Live").first).to_be_visible(timeout=PATIENCE)
    with page.expect_response(is_data, timeout=PATIENCE):
        later(fresh)
