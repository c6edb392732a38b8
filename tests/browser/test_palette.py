"""Ctrl K: pages, what one can do here, a job by its id, and jobs by a filter."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import grave
from tests.browser.enqueued import later
from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def search(page: Page, text: str) -> None:
    page.keyboard.press("Control+k")
    field = page.get_by_role("dialog", name="Find").get_by_role("combobox")
    expect(field).to_be_focused()
    page.keyboard.type(text)
    expect(field).to_have_value(text)


def test_it_leads_to_pages_to_a_job_and_to_jobs_by_a_filter(yard: Site, visits: Visits) -> None:
    [id] = later(yard, 1, queue="sand")
    page = visits.open(yard.url).page
    show(page, "#/about")
    search(page, "schdl")
    expect(page.get_by_role("option").first).to_contain_text("Schedules")
    assert grave(page) == []
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{yard.url}/#/schedules")
    search(page, id)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{yard.url}/#/jobs/{id}")
    search(page, "queue:sand")
    page.keyboard.press("Enter")
    settled(page)
    expect(page).to_have_url(re.compile(r"#/jobs\?filter=queue%3Asand$"))
    expect(page.get_by_role("checkbox", name=f"Mark {id}")).to_be_visible()


def test_arrows_choose_and_escape_leaves_all_as_it_is(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    show(page, "#/about")
    search(page, "queues")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_contain_text("Queues")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("Jobs with queues")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("Queues")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(f"{yard.url}/#/about")


@pytest.mark.parametrize("by", ["click", "enter"])
def test_it_does_what_the_page_can_do(yard: Site, visits: Visits, by: str) -> None:
    yard.ask("PUT", f"/schedules/dunes-{by}", {"cron": "0 0 1 1 *", "type": "keep", "payload": {"by": by}})
    page = visits.open(yard.url).page
    show(page, f"#/schedules/dunes-{by}")
    expect(page.get_by_role("button", name="Run now")).to_be_visible()
    search(page, "run the schedule")
    if by == "click":
        page.get_by_role("option", name="Run the schedule now").click()
    else:
        page.keyboard.press("Enter")
    page.get_by_role("link", name="Show it").click()
    settled(page)
    assert yard.ended(page.url.rpartition("/")[2])["payload"] == {"by": by}
