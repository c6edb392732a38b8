"""How somebody comes upon what is paused in a list, and resumes it."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def resume_from_list(page: Page, letter: str, table: str, name: str, waiting: int) -> None:
    """Go to the list by its keys, where the cell of this number says that one job waits, and resume it on its page."""
    page.keyboard.press("g")
    page.keyboard.press(letter)
    row = page.get_by_role("table", name=table).get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("paused")
    expect(row.get_by_role("cell").nth(waiting)).to_have_text("1")
    row.get_by_role("link").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
