"""Without a mouse: through each list by j, k and Enter, and into each dialog and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.enqueued import enqueue, failed, later
from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits

LISTS: Final = {
    "e": "Errors",
    "q": "Queues",
    "n": "Nodes",
    "s": "Schedules",
    "t": "Types",
    "k": "Keys",
    "p": "Operations",
    "j": "Jobs",
}
"""The lists whose rows lead to pages, by the letter after `g`."""
DIALOGS: Final = {
    "#/queues/rope": ("Limit", "Purge"),
    "#/schedules/rope": ("Edit", "Drop"),
    "#/schedules": ("Add",),
    "#/types/keep": ("Enqueue", "Limit"),
    "#/errors/{group}": ("Retry 1", "Discard"),
    "#/nodes/{node}": ("Stop",),
    "#/keys/rope": ("Pass the failed",),
    "#/api-keys": ("Add",),
    "#/about": ("Find", "All keys"),
}
"""The buttons that open dialogs, by their page."""


@pytest.fixture(scope="module")
def names(yard: Site) -> Mapping[str, Any]:
    """Two rows for each list, and what stands in braces above."""
    for name in ("rope", "sail"):
        later(yard, 1, queue=name)
        failed(yard, 1, f"torn {name}")
        [held] = enqueue(yard, 1, "in_order", payload={"account": name})
        yard.ended(held)
        enqueue(yard, 1, "in_order", payload={"account": name})
        yard.ask("PUT", f"/schedules/{name}", {"cron": "0 0 1 1 *", "type": "keep"})
        yard.ask("POST", "/operations", {"action": "cancel", "filter": f"tag:{name}"})
    [group] = (each["group"] for each in yard.ask("GET", "/errors") if each["message"] == "torn rope")
    [node] = (each["id"] for each in yard.ask("GET", "/nodes") if each["live"])
    return {"group": group, "node": node}


def links(page: Page, table: str) -> Locator:
    """What the first cell of each row leads to, or where its box is."""
    return page.get_by_role("table", name=table, exact=True).locator("tbody tr")


def test_each_list_is_gone_through_and_a_row_opened(yard: Site, visits: Visits, names: Mapping[str, Any]) -> None:
    page = visits.open(yard.url).page
    show(page, "#/about")
    for letter, table in LISTS.items():
        page.keyboard.press("g")
        page.keyboard.press(letter)
        settled(page)
        rows = links(page, table)
        expect(rows.first, table).to_be_visible()
        last = min(rows.count() - 1, 1)
        for key, at in (("j", 0), ("j", last), ("k", 0)):
            page.keyboard.press(key)
            expect(rows.nth(at).locator(":focus"), f"{table}, {key}").to_have_count(1)
        href = rows.first.get_by_role("link").first.get_attribute("href")
        page.keyboard.press("Enter")
        expect(page, table).to_have_url(f"{yard.url}/{href}")
        settled(page)


def test_from_each_dialog_escape_gives_the_focus_back(yard: Site, visits: Visits, names: Mapping[str, Any]) -> None:
    page = visits.open(yard.url).page
    show(page, "#/about")
    for place, buttons in DIALOGS.items():
        page.evaluate("(to) => { location.hash = to }", place.format_map(names))
        for name in buttons:
            button = page.get_by_role("button", name=name, exact=True)
            button.focus()
            page.keyboard.press("Enter")
            dialog = page.get_by_role("dialog")
            expect(dialog.locator(":focus"), f"{place}: {name}").to_have_count(1)
            page.keyboard.press("Tab")
            expect(page.locator(":focus:not(dialog *)"), f"{place}: {name}").to_have_count(0)
            page.keyboard.press("Escape")
            expect(dialog, f"{place}: {name}").to_have_count(0)
            expect(button, f"{place}: {name}").to_be_focused()


def test_a_dialog_that_its_button_closes_gives_the_focus_back(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    show(page, "#/queues/rope")
    button = page.get_by_role("button", name="Limit", exact=True)
    button.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Close").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_the_content_is_reached_at_once(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    show(page, "#/about")
    page.get_by_role("link", name="To the content").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_have_count(1)
    expect(page).to_have_url(re.compile("#/about$"))
