"""A very large screen is made use of: letters are larger there, and what a page has to say takes most of it."""

from __future__ import annotations

import pytest

from tests.browser.looks import DESK, HUGE
from tests.browser.pages import fragment, show
from tests.browser.served import Stocked
from tests.browser.visits import Visits

LETTERS = "parseFloat(getComputedStyle(document.body).fontSize)"


@pytest.mark.parametrize("name", ["overview", "jobs", "failed job"])
def test_a_page_takes_most_of_a_screen_of_4k(stock: Stocked, visits: Visits, name: str) -> None:
    page = visits.open(stock.site.url, HUGE).page
    show(page, fragment(name, stock.names))
    box = page.locator("main").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] > 0.65 * HUGE.width
    large = page.evaluate(LETTERS)
    page.set_viewport_size({"width": DESK.width, "height": DESK.height})
    assert page.evaluate(LETTERS) < large
