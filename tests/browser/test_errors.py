"""Errors that are the same error: which there are, and what one does to all jobs of one."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import grave
from tests.browser.enqueued import failed
from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Errors").get_by_role("row")


def test_failures_of_one_kind_are_one_row_of_which_keys_lead_to_its_jobs(each_yard: Site, visits: Visits) -> None:
    ids = failed(each_yard, 2, "no room in hold 17") + failed(each_yard, 1, "no room in hold 4")
    page = visits.open(each_yard.url).page
    show(page, "#/errors")
    row = rows(page).filter(has_text="no room in hold")
    expect(row).to_have_count(1)
    expect(row.get_by_role("cell").nth(5)).to_have_text("3")
    expect(row.get_by_role("cell").nth(6)).to_have_text("3")
    expect(row.get_by_role("img", name="3 in 24 hours")).to_be_visible()
    page.keyboard.press("j")
    expect(rows(page).nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    settled(page)
    main = page.locator("main")
    expect(main.get_by_role("heading", name="Hostile")).to_be_visible()
    expect(main).to_contain_text("stock_jobs.py:fail")
    listed = page.get_by_role("table", name="Failed jobs").get_by_role("link")
    expect(listed).to_have_count(3)
    listed.first.click()
    settled(page)
    expect(page).to_have_url(f"{each_yard.url}/#/jobs/{ids[-1]}")


def test_the_list_is_narrowed_to_a_type_or_a_queue_and_the_address_says_so(yard: Site, visits: Visits) -> None:
    failed(yard, 1, "narrowed to this")
    page = visits.open(yard.url).page
    show(page, "#/errors")
    expect(rows(page).filter(has_text="narrowed to this")).to_have_count(1)
    page.get_by_role("searchbox", name="queue").fill("nowhere")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No error like this.")).to_be_visible()
    assert page.url.endswith("#/errors?queue=nowhere")
    show(page, "#/errors?type=fail&queue=stock")
    expect(page.get_by_role("searchbox", name="type")).to_have_value("fail")
    expect(rows(page).filter(has_text="narrowed to this")).to_have_count(1)


def test_a_group_is_retried(each_yard: Site, visits: Visits) -> None:
    ids, [other] = failed(each_yard, 2, "the harbour is closed"), failed(each_yard, 1, "the harbour is frozen")
    page = visits.open(each_yard.url).page
    show(page, "#/errors")
    rows(page).filter(has_text="the harbour is closed").get_by_role("link").first.press("Enter")
    expect(page.get_by_role("button", name="Retry 2")).to_be_visible()
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="Retry the group?")
    expect(dialog).to_contain_text("2 now")
    expect(dialog.get_by_role("button", name="Retry them")).to_be_focused()
    assert grave(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("main dl .badge")).to_have_text("completed")
    expect(page.locator("main")).to_contain_text("2 retried")
    assert min(each_yard.ended(id)["claim"] for id in ids) > 1
    assert each_yard.ask("GET", f"/jobs/{other}")["claim"] == 1


def test_a_group_is_discarded(each_yard: Site, visits: Visits) -> None:
    failed(each_yard, 2, "thrown overboard")
    [other] = failed(each_yard, 1, "kept aboard")
    page = visits.open(each_yard.url).page
    show(page, "#/errors")
    rows(page).filter(has_text="thrown overboard").get_by_role("link").click()
    expect(page.get_by_role("button", name="Retry 2")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    dialog = page.get_by_role("dialog", name="Discard the group?")
    dialog.get_by_role("button", name="Do nothing").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Discard").click()
    dialog.get_by_role("button", name="Delete them").click()
    expect(page.locator("main dl .badge")).to_have_text("completed")
    expect(page.locator("main")).to_contain_text("2 deleted")
    [group] = (each for each in each_yard.ask("GET", "/errors") if each["message"] == "thrown overboard")
    assert (group["count"], group["jobs"]) == (2, 0)
    assert each_yard.ask("GET", f"/jobs/{other}")["status"] == "failed"
    show(page, f"#/errors/{group['group']}")
    expect(page.get_by_text("No job stands failed with this error now.")).to_be_visible()
    expect(page.get_by_role("button", name="Discard")).to_have_count(0)
