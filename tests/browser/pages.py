"""Every page of the dashboard, in one table: what goes for all of them is tested for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from playwright.sync_api import Page, expect

PAGES: Final = {
    "overview": "#/",
    "jobs": "#/jobs",
    "job": "#/jobs/{job}",
    "failed job": "#/jobs/{failed}",
    "errors": "#/errors",
    "error": "#/errors/{group}",
    "queues": "#/queues",
    "queue": "#/queues/{queue}",
    "nodes": "#/nodes",
    "node": "#/nodes/{node}",
    "schedules": "#/schedules",
    "schedule": "#/schedules/{schedule}",
    "types": "#/types",
    "type": "#/types/{type}",
    "keys": "#/keys",
    "key": "#/keys/{key}",
    "api-keys": "#/api-keys",
    "audit": "#/audit",
    "operations": "#/operations",
    "operation": "#/operations/{operation}",
    "about": "#/about",
}
"""The fragment of each. What stands in braces is the name of something that the store has."""
LETTERS: Final = {
    "o": "overview",
    "j": "jobs",
    "e": "errors",
    "q": "queues",
    "n": "nodes",
    "s": "schedules",
    "t": "types",
    "k": "keys",
    "p": "operations",
    "l": "audit",
    "i": "api-keys",
    "a": "about",
}
"""`g` and one of these leads to a page."""
PATIENCE: Final = 20_000
"""Milliseconds after which something that has to come counts as missing."""


def fragment(page: str, names: Mapping[str, str]) -> str:
    """Where a page is."""
    return PAGES[page].format_map({name: quote(value, safe="") for name, value in names.items()})


def settled(page: Page) -> None:
    """Wait until the page shows what it has to show: it has its title, and nothing in it is still loading."""
    expect(page.locator("main h1")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("main").get_by_role("status", name="Loading")).to_have_count(0, timeout=PATIENCE)


def show(page: Page, fragment: str) -> None:
    """Load a page anew, also where only the fragment is another, and wait until it is settled."""
    page.goto("about:blank")
    page.goto(fragment)
    settled(page)


def troubles(page: Page) -> list[str]:
    """What the page says that it could not load."""
    return page.locator("main .trouble").all_inner_texts()


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window: nobody should have to push it sideways."""
    # where room is kept for a scrollbar, what scrolls is narrower than the window
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return max(0, wide)
