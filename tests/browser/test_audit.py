"""The audit log, narrowed to who did what."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def rows(page: Page) -> Locator:
    """The deeds."""
    return page.get_by_role("table", name="Deeds").locator("tbody").get_by_role("row")


def narrow(page: Page, field: str, text: str) -> None:
    page.get_by_role("searchbox", name=field).fill(text)
    page.keyboard.press("Enter")


def test_it_is_narrowed_to_an_actor_an_action_and_a_target(each_yard: Site, visits: Visits) -> None:
    for verb in ("pause", "resume", "pause"):
        each_yard.ask("POST", f"/queues/ledger/{verb}")
    each_yard.command("pause", "ledger-2")
    page = visits.open(each_yard.url).page
    show(page, "#/audit")
    expect(rows(page).first).to_contain_text("ledger-2")
    [by_command] = each_yard.ask("GET", "/audit?target=ledger-2")
    narrow(page, "actor", by_command["actor"])
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("queue.pause")
    narrow(page, "actor", "")
    expect(page.get_by_role("searchbox", name="actor")).to_have_value("")
    narrow(page, "target", "ledger")
    deeds = each_yard.ask("GET", "/audit?target=ledger")
    assert len(deeds) >= 3
    expect(rows(page)).to_have_count(len(deeds))
    narrow(page, "action", "queue.pause")
    expect(rows(page)).to_have_count(2)
    page.reload()
    settled(page)
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_role("searchbox", name="action")).to_have_value("queue.pause")
    narrow(page, "action", "queue.limit")
    expect(page.get_by_text("No deed like this.")).to_be_visible()
    narrow(page, "action", "queue.resume")
    rows(page).get_by_role("link", name="ledger").click()
    expect(page).to_have_url(f"{each_yard.url}/#/queues/ledger")
