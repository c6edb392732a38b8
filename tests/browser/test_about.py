"""What answers, on which store, and what an operator should know."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.enqueued import enqueue
from tests.browser.pages import show
from tests.browser.served import Site
from tests.browser.visits import Visits


def fact(page: Page, section: str, name: str) -> str:
    """A value, by what it is of."""
    card = page.locator("section.card").filter(has=page.get_by_role("heading", name=section))
    return card.locator("dl > div").filter(has=page.get_by_text(name, exact=True)).locator("dd").inner_text()


def test_it_says_what_the_api_says(each_yard: Site, visits: Visits) -> None:
    page = visits.open(each_yard.url).page
    show(page, "#/about")
    about = each_yard.ask("GET", "/about")
    store = about["store"]
    assert fact(page, "This process", "Ferryman") == about["version"]
    assert fact(page, "This process", "Node") == about["node"]
    assert fact(page, "The store", "Kind") == store["kind"]
    assert fact(page, "The store", "Place") == store["place"]
    assert fact(page, "The store", "Migration") == store["migration"]
    for link in ("./docs", "./openapi.json", "./metrics", "./health"):
        expect(page.locator(f"main a[href='{link}']")).to_be_visible()


def test_it_warns_of_what_is_wrong_until_it_is_right(yard: Site, visits: Visits) -> None:
    [id] = enqueue(yard, 1, "nobody_runs_it")
    page = visits.open(yard.url).page
    show(page, "#/about")
    warning = page.get_by_role("listitem").filter(has_text="nobody_runs_it")
    expect(warning).to_contain_text("no-handler")
    yard.ask("POST", f"/jobs/{id}/cancel")
    page.keyboard.press(".")
    expect(warning).to_have_count(0)
