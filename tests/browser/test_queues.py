"""Queues: what stands in them, and pausing, limiting and purging one."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import grave
from tests.browser.enqueued import enqueue, later
from tests.browser.pages import settled, show
from tests.browser.pausing import resume_from_list
from tests.browser.served import Site
from tests.browser.visits import Visits


def figure(page: Page, name: str) -> Locator:
    return page.locator("dl.figures > div").filter(has=page.get_by_role("link", name=name)).locator("dd")


def rule(site: Site, queue: str) -> Any:
    [found] = (each for each in site.ask("GET", "/rules") if (each["scope"], each["name"]) == ("queue", queue))
    return found


def test_a_queue_is_paused_and_resumed(each_yard: Site, visits: Visits) -> None:
    later(each_yard, 1, queue="ink")
    page = visits.open(each_yard.url).page
    show(page, "#/queues/ink")
    expect(figure(page, "Scheduled")).to_have_text("1")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("ink is paused.")).to_be_visible()
    expect(page.locator("main .head .badge")).to_have_text("paused")
    [id] = enqueue(each_yard, 1, queue="ink")
    expect(figure(page, "Pending")).to_have_text("1")
    resume_from_list(page, "q", "Queues", "ink", 2)
    assert each_yard.ended(id)["status"] == "completed"
    expect(figure(page, "Pending")).to_have_text("0")


def test_a_queue_is_limited_and_what_no_limit_can_be_is_told_in_the_dialog(yard: Site, visits: Visits) -> None:
    later(yard, 1, queue="chalk")
    watched = visits.open(yard.url)
    watched.expect(422, "/queues/chalk/limit")
    page = watched.page
    show(page, "#/queues/chalk")
    page.get_by_role("button", name="Limit").click()
    dialog = page.get_by_role("dialog", name="Limit chalk")
    dialog.get_by_label("At once, over all nodes").fill("2")
    dialog.get_by_label("Starts").fill("often")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("rate")
    assert grave(page) == []
    dialog.get_by_label("Starts").fill("36/h")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("main .head")).to_contain_text("2 at once, 0.01/s")
    assert (rule(yard, "chalk")["concurrency"], rule(yard, "chalk")["rate"]) == (2, 0.01)
    page.get_by_role("button", name="Limit").click()
    expect(dialog.get_by_label("At once, over all nodes")).to_have_value("2")
    for label in ("At once, over all nodes", "Starts", "Burst"):
        dialog.get_by_label(label).fill("")
    page.keyboard.press("Enter")
    expect(page.locator("main .head")).not_to_contain_text("at once")
    assert [each for each in yard.ask("GET", "/rules") if each["name"] == "chalk" and each["rate"] is not None] == []


def test_a_queue_is_purged_once_its_name_was_typed(each_yard: Site, visits: Visits) -> None:
    ids, [other] = later(each_yard, 3, queue="blot"), later(each_yard, 1, queue="blotting")
    page = visits.open(each_yard.url).page
    show(page, "#/queues/blot")
    page.get_by_role("button", name="Purge").click()
    dialog = page.get_by_role("dialog", name="Purge blot?")
    expect(dialog).to_contain_text("3 jobs that wait")
    yes, typed = dialog.get_by_role("button", name="Cancel them"), dialog.get_by_label("Type blot to confirm")
    expect(yes).to_be_disabled()
    typed.fill("blo")
    expect(yes).to_be_disabled()
    assert grave(page) == []
    typed.press("t")
    expect(yes).to_be_enabled()
    yes.click()
    settled(page)
    expect(page.locator("main dl .badge")).to_have_text("completed")
    expect(page.locator("main")).to_contain_text("3 cancelled")
    assert {each_yard.ask("GET", f"/jobs/{id}")["status"] for id in ids} == {"cancelled"}
    assert each_yard.ask("GET", f"/jobs/{other}")["status"] == "scheduled"
