"""Schedules: adding one, changing it, having it fire, seeing what it has made, pausing and dropping it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def put(site: Site, name: str, cron: str = "0 0 1 1 *") -> None:
    site.ask("PUT", f"/schedules/{name}", {"cron": cron, "type": "keep", "payload": {"n": 1}, "missed": "all"})


def test_a_schedule_is_added_and_what_no_clock_can_be_is_told_in_the_dialog(yard: Site, visits: Visits) -> None:
    watched = visits.open(yard.url)
    watched.expect(422, "/schedules/tides")
    page = watched.page
    show(page, "#/schedules")
    page.get_by_role("button", name="Add").click()
    dialog = page.get_by_role("dialog", name="Add a schedule")
    dialog.get_by_label("Name").fill("tides")
    dialog.get_by_label("Cron expression").fill("61 * * * *")
    dialog.get_by_label("Time zone").fill("Europe/Berlin")
    dialog.get_by_label("Type of its jobs").fill("keep")
    dialog.get_by_label("Payload").fill('{"height": 12345678901234567890}')
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("61")
    assert grave(page) == []
    dialog.get_by_label("Cron expression").fill("30 6 * * *")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    row = page.get_by_role("table", name="Schedules").get_by_role("row").filter(has_text="tides")
    expect(row).to_contain_text("06:30")
    row.get_by_role("link").click()
    expect(page.get_by_role("listitem")).to_have_count(5)
    expect(page.locator("main")).to_contain_text('"height": 12345678901234567890')
    kept = yard.ask("GET", "/schedules/tides")
    assert (kept["cron"], kept["time_zone"]) == ("30 6 * * *", "Europe/Berlin")
    assert kept["payload"] == {"height": 12345678901234567890}


def test_a_schedule_is_run_paused_resumed_and_dropped(each_yard: Site, visits: Visits) -> None:
    put(each_yard, "ebb")
    page = visits.open(each_yard.url).page
    show(page, "#/schedules/ebb")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("None: it is paused.")).to_be_visible()
    assert each_yard.ask("GET", "/schedules/ebb")["paused"]
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("listitem")).to_have_count(5)
    page.keyboard.press("r")
    page.get_by_role("link", name="Show it").click()
    settled(page)
    assert each_yard.ended(page.url.rpartition("/")[2])["payload"] == {"n": 1}
    page.go_back()
    page.get_by_role("button", name="Drop").click()
    page.get_by_role("dialog", name="Drop ebb?").get_by_role("button", name="Drop it").click()
    expect(page).to_have_url(f"{each_yard.url}/#/schedules")
    assert "ebb" not in [each["name"] for each in each_yard.ask("GET", "/schedules")]


def test_a_schedule_is_edited_and_keeps_what_the_form_does_not_ask_for(yard: Site, visits: Visits) -> None:
    put(yard, "flood")
    page = visits.open(yard.url).page
    show(page, "#/schedules/flood")
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit flood")
    expect(dialog.get_by_label("Cron expression")).to_have_value("0 0 1 1 *")
    dialog.get_by_label("Cron expression").fill("15 4 * * 1")
    dialog.get_by_label("Payload").fill('{"n": 2}')
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("15 4 * * 1")).to_be_visible()
    kept = yard.ask("GET", "/schedules/flood")
    assert (kept["cron"], kept["payload"], kept["missed"]) == ("15 4 * * 1", {"n": 2}, "all")


def test_what_a_schedule_has_made_is_listed(each_yard: Site, visits: Visits) -> None:
    put(each_yard, "surf", "* * * * * *")
    page = visits.open(each_yard.url).page
    show(page, "#/schedules/surf")
    made = page.get_by_role("table", name="Jobs of this schedule").get_by_role("row")
    expect(made.nth(2)).to_contain_text("completed")
    each_yard.ask("POST", "/schedules/surf/pause")
    made.nth(1).get_by_role("link").click()
    settled(page)
    runs = [run["id"] for run in each_yard.ask("GET", "/schedules/surf/runs")]
    assert page.url.rpartition("/")[2] in runs
