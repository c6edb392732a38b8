"""What goes for every page, on both stores: see `pages.PAGES`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import grave
from tests.browser.looks import DARK, DARK_PHONE, DESK, LOOKS, PHONE, Look
from tests.browser.pages import LETTERS, PAGES, fragment, overflow, settled, show, troubles
from tests.browser.served import Stocked
from tests.browser.visits import Visits
from tests.browser.watching import Watched

every_page = pytest.mark.parametrize("name", PAGES)
on_sqlite = pytest.mark.parametrize("stock", ["sqlite"], indirect=True)
"""For what is the same on every store: how it looks, and which keys lead there."""
JUDGED = (DESK, DARK_PHONE)
"""In these axe judges: both colours, both ways to lay a page out."""
HARM = """() => [
  ...[...document.querySelectorAll("base, embed, iframe, object, meta[http-equiv], [onerror], [onload], [onfocus]")]
    .map((each) => each.outerHTML.slice(0, 200)),
  ...[...document.querySelectorAll("a[href], form[action]")]
    .map((each) => each.href ?? each.action).filter((to) => new URL(to).origin !== location.origin),
  ...(({}).polluted === undefined ? [] : ["the prototype of objects"]),
]"""
"""What a text would have left behind that was taken for more than a text."""


@pytest.fixture(scope="module")
def opened(stock: Stocked, chromium: Browser) -> Iterator[Watched]:
    """One page for all tests here that only look at what is there."""
    with Visits(chromium) as visits:
        yield visits.open(stock.site.url)


@pytest.fixture
def watched(opened: Watched) -> Iterator[Watched]:
    """The page, as if it was opened for this test; what it complains of fails the test."""
    opened.begin_anew()
    look_at(opened, DESK)
    yield opened
    opened.check()
    opened.begin_anew()


def look_at(watched: Watched, look: Look) -> None:
    watched.page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
    watched.page.set_viewport_size({"width": look.width, "height": look.height})


@every_page
def test_it_shows_what_there_is_and_lets_no_text_be_more_than_a_text(
    stock: Stocked, watched: Watched, name: str
) -> None:
    show(watched.page, fragment(name, stock.names))
    assert troubles(watched.page) == []
    assert watched.page.evaluate(HARM) == []


@pytest.mark.parametrize(
    "name",
    [
        "exact",
        "members",
        "deepest",
        "largest",
        "longest word",
        "widest",
        "secretive",
        "logged",
        "logged too much",
        "failed at length",
        "failed again",
        "retried",
        "longest names",
        "hostile tags",
        "waiting",
        "cancelled",
        "processing",
        "snoozed",
        "tried again",
        "failed: one word",
        "failed: lines",
        "failed: controls",
        "failed: right to left",
    ],
)
def test_a_job_of_each_kind_is_shown(stock: Stocked, watched: Watched, name: str) -> None:
    show(watched.page, f"#/jobs/{stock.jobs[name]}")
    assert troubles(watched.page) == []
    assert watched.page.evaluate(HARM) == []
    assert "sesame" not in watched.page.content()
    for look in (DESK, PHONE):
        look_at(watched, look)
        assert overflow(watched.page) == 0, look
    assert grave(watched.page) == []


@on_sqlite
@every_page
def test_it_fits_each_window_and_keeps_nobody_out(stock: Stocked, watched: Watched, name: str) -> None:
    show(watched.page, fragment(name, stock.names))
    for called, look in LOOKS.items():
        look_at(watched, look)
        settled(watched.page)
        assert overflow(watched.page) == 0, called
        if look in JUDGED:
            assert grave(watched.page) == [], called


@on_sqlite
@pytest.mark.parametrize("letter", LETTERS)
def test_two_keys_lead_to_it(stock: Stocked, visits: Visits, letter: str) -> None:
    page = visits.open(stock.site.url, DARK).page
    show(page, fragment("overview", {}) if letter != "o" else fragment("about", {}))
    page.keyboard.press("g")
    page.keyboard.press(letter)
    settled(page)
    expect(page).to_have_url(f"{stock.site.url}/{fragment(LETTERS[letter], {})}")
    expect(page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")).to_have_count(1)


@on_sqlite
def test_a_place_that_is_none_says_so(stock: Stocked, visits: Visits) -> None:
    page = visits.open(stock.site.url).page
    page.goto("/#/nowhere/<script>alert(1)</script>")
    expect(page.get_by_text("There is nothing at this address.")).to_be_visible()


@pytest.mark.parametrize("what", ["jobs", "errors", "nodes", "schedules", "keys", "operations"])
def test_one_that_is_not_there_is_told_of(watched: Watched, what: str) -> None:
    for status in (400, 404):
        watched.expect(status)
    show(watched.page, f"#/{what}/no-such-thing")
    expect(watched.page.locator("main").get_by_role("alert").first).to_be_visible()
    assert grave(watched.page) == []
