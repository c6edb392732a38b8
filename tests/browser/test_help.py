"""The keys that do something just now, told by `?`."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.pages import LETTERS, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def test_it_lists_every_key_of_the_page_and_no_key_does_anything_below_it(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    show(page, "#/types/keep")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Enqueue a job of this type")
    told = dialog.locator("dt").all_inner_texts()
    assert {"".join(keys.split()) for keys in told} >= {
        *(f"g{letter}" for letter in LETTERS),
        "?",
        "Ctrlk",
        "T",
        ".",
        "e",
    }
    assert grave(page) == []
    for key in ("g", "q", "e"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page).to_have_url(f"{yard.url}/#/types/keep")
    page.get_by_role("button", name="All keys").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
