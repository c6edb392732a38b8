"""Nodes: which there are, what one runs, and telling one to be quiet, to go on, and to stop."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.enqueued import enqueue
from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def test_a_node_shows_what_it_runs(each_yard: Site, visits: Visits) -> None:
    [id] = enqueue(each_yard, 1, "hold")
    page = visits.open(each_yard.url).page
    show(page, "#/nodes")
    row = page.get_by_role("table", name="Nodes").get_by_role("row").filter(has_text="live")
    expect(row.get_by_role("meter", name="1 of 10 in use")).to_be_visible()
    row.get_by_role("link").click()
    expect(page.get_by_role("table", name="Jobs that run").get_by_role("row").nth(1)).to_contain_text("hold")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{each_yard.url}/#/jobs/{id}")
    page.go_back()
    each_yard.ask("POST", f"/jobs/{id}/cancel")
    expect(page.get_by_text("Nothing just now.")).to_be_visible()


def test_a_node_is_told_to_be_quiet_to_go_on_and_to_stop(each_yard: Site, visits: Visits) -> None:
    page = visits.open(each_yard.url).page
    show(page, "#/nodes")
    with each_yard.working() as process:
        row = page.get_by_role("table", name="Nodes").get_by_role("row").filter(has_text=f"· {process.pid}")
        expect(row).to_contain_text("live")
        row.get_by_role("link").click()
        settled(page)
        badge = page.locator("main .head .badge")
        page.get_by_role("button", name="Quiet").click()
        expect(badge).to_have_text("quiet")
        page.get_by_role("button", name="Resume").click()
        expect(badge).to_have_text("live")
        page.get_by_role("button", name="Stop").click()
        dialog = page.get_by_role("dialog", name="Stop this node?")
        assert grave(page) == []
        dialog.get_by_role("button", name="Stop it").click()
        expect(page.get_by_text("It stops at its next beat.")).to_be_visible()
        assert process.wait(60) == 0
    expect(badge).to_have_text("ended")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    said = [deed["action"] for deed in each_yard.ask("GET", f"/audit?target={page.url.rpartition('/')[2]}")]
    assert said == ["node.stop", "node.resume", "node.quiet"]
