"""Keys of jobs: pausing one, and letting a sequence go on without what has failed."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import grave
from tests.browser.enqueued import enqueue
from tests.browser.pages import show
from tests.browser.pausing import resume_from_list
from tests.browser.served import Site
from tests.browser.visits import Visits


def figure(page: Page, name: str) -> Locator:
    return page.locator("dl.figures > div").filter(has_text=name).locator("dd")


def test_a_key_is_paused_and_resumed(each_yard: Site, visits: Visits) -> None:
    each_yard.ask("PUT", "/keys/pier", {"concurrency": 1})
    page = visits.open(each_yard.url).page
    show(page, "#/keys/pier")
    expect(page.locator("main .head")).to_contain_text("1 at once; set by hand")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("main .head .badge")).to_have_text("paused")
    [id] = enqueue(each_yard, 1, key="pier")
    expect(figure(page, "Waiting")).to_have_text("1")
    resume_from_list(page, "k", "Keys", "pier", 4)
    assert each_yard.ended(id)["status"] == "completed"
    expect(figure(page, "Waiting")).to_have_text("0")


def test_a_sequence_goes_on_without_the_job_that_held_it_up(each_yard: Site, visits: Visits) -> None:
    [first] = enqueue(each_yard, 1, "in_order", payload={"account": "quay"})
    each_yard.ended(first)
    [second] = enqueue(each_yard, 1, "in_order", payload={"account": "quay"})
    page = visits.open(each_yard.url).page
    show(page, "#/keys")
    row = page.get_by_role("table", name="Keys").get_by_role("row").filter(has_text="quay")
    expect(row).to_contain_text("1 failed")
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="It waits for these failed jobs")).to_be_visible()
    expect(page.get_by_role("listitem").get_by_role("link")).to_have_attribute("href", f"#/jobs/{first}")
    page.get_by_role("button", name="Pass the failed").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Go on")).to_be_focused()
    assert grave(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_text("It goes on without 1 job.")).to_be_visible()
    assert each_yard.ended(second)["claim"] == 1
    assert each_yard.ask("GET", f"/jobs/{first}")["status"] == "failed"
