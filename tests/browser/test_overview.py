"""The first page: the numbers of this moment, what is in the way, and charts of the time before."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.enqueued import enqueue, failed
from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def figure(page: Page, name: str) -> Locator:
    """A number that leads to the jobs of which it tells."""
    return page.locator("dl.figures > div").filter(has=page.get_by_role("link", name=name)).locator("dd")


def test_its_numbers_follow_the_store(each_yard: Site, visits: Visits) -> None:
    site = each_yard
    page = visits.open(site.url).page
    show(page, "#/")
    site.ask("POST", "/queues/overlooked/pause")
    enqueue(site, 3, queue="overlooked")
    failed(site, 1, "overlooked by everybody")
    counts = site.ask("GET", "/counts")
    expect(figure(page, "Pending")).to_have_text(str(counts["pending"]))
    expect(figure(page, "Failed now")).to_have_text(str(counts["failed"]))
    queue = page.get_by_role("table", name="Queues").get_by_role("row").filter(has_text="overlooked")
    expect(queue.get_by_role("cell").nth(2)).to_have_text("3")
    expect(page.get_by_role("table", name="Errors")).to_contain_text("overlooked by everybody")
    [node] = (each for each in site.ask("GET", "/nodes") if each["live"])
    expect(page.get_by_role("table", name="Nodes")).to_contain_text(f"· {node['pid']}")
    page.get_by_role("main").get_by_role("link", name="Failed now").click()
    settled(page)
    expect(page).to_have_url(re.compile(r"#/jobs\?.*failed"))


def test_a_chart_is_of_the_period_that_is_chosen_and_tells_each_moment(yard: Site, visits: Visits) -> None:
    [id] = enqueue(yard, 1)
    yard.ended(id)
    page = visits.open(yard.url).page
    show(page, "#/")
    with page.expect_request(re.compile("/stats[?]")) as asked:
        page.get_by_role("group", name="Period").get_by_role("button", name="7 days").click()
    assert "step=2100" in asked.value.url
    expect(page).to_have_url(re.compile("window=7d"))
    chart = page.get_by_role("img", name=re.compile("^Throughput: in: last "))
    chart.focus()
    page.keyboard.press("ArrowLeft")
    told = chart.locator(".tip")
    expect(told).to_contain_text("completed: ")
    last = told.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(told).not_to_have_text(last)
    page.keyboard.press("Tab")
    expect(told).to_have_count(0)
