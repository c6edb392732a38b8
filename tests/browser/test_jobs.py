"""The page of jobs: filters, pages, rows that stay where they are, what one does to a few jobs or to all that match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import grave
from tests.browser.enqueued import failed, later
from tests.browser.pages import PATIENCE, settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits

PAGE = 50


def boxes(page: Page) -> Locator:
    return page.get_by_role("table", name="Jobs").get_by_role("checkbox", name="Mark 0")


def expect_rows(page: Page, ids: Sequence[str]) -> None:
    """The table has the rows of these jobs, in this order."""
    expect(boxes(page)).to_have_count(len(ids), timeout=PATIENCE)
    for box, id in zip(boxes(page).all(), ids, strict=True):
        expect(box).to_have_accessible_name(f"Mark {id}")


def test_a_filter_is_completed_and_told_by_the_address(fresh: Site, visits: Visits) -> None:
    later(fresh, 2, queue="paper")
    [wanted] = later(fresh, 1, queue="mail", tags=["a tag"])
    page = visits.open(fresh.url).page
    show(page, "#/jobs")
    page.keyboard.press("/")
    page.keyboard.type("que")
    page.keyboard.press("Tab")
    expect(page.get_by_role("option", name="mail")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    field = page.get_by_role("combobox", name="Filter")
    expect(field).to_have_value("queue:mail")
    page.keyboard.press("Enter")
    expect_rows(page, [wanted])
    assert page.url.endswith("#/jobs?filter=queue%3Amail")
    page.get_by_role("button", name="a tag").click()
    expect(field).to_have_value('queue:mail tag:"a tag"')
    expect_rows(page, [wanted])
    page.get_by_role("button", name="No filter").click()
    expect(boxes(page)).to_have_count(3)


def test_what_cannot_be_read_is_pointed_at(fresh: Site, visits: Visits) -> None:
    watched = visits.open(fresh.url)
    watched.expect(400, "/jobs")
    show(watched.page, "#/jobs?filter=type:keep%20statsu:failed%20tag:x")
    wrong = watched.page.get_by_role("alert")
    expect(wrong).to_contain_text("FM423")
    expect(wrong.locator("u")).to_have_text("statsu:failed")
    assert grave(watched.page) == []


def test_pages_go_forth_and_back_and_an_address_says_which_one_it_is(fresh: Site, visits: Visits) -> None:
    ids = later(fresh, 2 * PAGE + 10)[::-1]
    page = visits.open(fresh.url).page
    show(page, "#/jobs")
    expect_rows(page, ids[:PAGE])
    page.keyboard.press("n")
    expect_rows(page, ids[PAGE : 2 * PAGE])
    page.keyboard.press("n")
    expect_rows(page, ids[2 * PAGE :])
    expect(page.get_by_role("button", name="Older")).to_be_disabled()
    page.keyboard.press("p")
    expect_rows(page, ids[PAGE : 2 * PAGE])
    page.reload()
    expect_rows(page, ids[PAGE : 2 * PAGE])
    page.go_back()
    expect_rows(page, ids[2 * PAGE :])
    page.get_by_role("button", name="Oldest first").click()
    expect_rows(page, ids[::-1][:PAGE])


def test_new_jobs_move_no_row_and_rows_show_what_becomes_of_their_jobs(fresh: Site, visits: Visits) -> None:
    ids = later(fresh, 3)[::-1]
    page = visits.open(fresh.url).page
    show(page, "#/jobs?status=scheduled")
    expect_rows(page, ids)
    new = later(fresh, 2)[::-1]
    pill = page.get_by_role("button", name="2 new jobs")
    expect(pill).to_be_visible(timeout=PATIENCE)
    expect_rows(page, ids)
    fresh.ask("POST", f"/jobs/{ids[0]}/cancel")
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("cancelled", timeout=PATIENCE)
    pill.click()
    expect_rows(page, [*new, *ids[1:]])


def test_marked_jobs_are_changed_by_keys_alone(fresh: Site, visits: Visits) -> None:
    ids = failed(fresh, 3)[::-1]
    page = visits.open(fresh.url).page
    show(page, "#/jobs")
    page.keyboard.press("7")
    expect_rows(page, ids)
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.get_by_text("2 marked")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_text("2 jobs retried.")).to_be_visible()
    for id in ids[:2]:
        assert fresh.ended(id)["claim"] > 1
    assert fresh.ask("GET", f"/jobs/{ids[2]}")["claim"] == 1


def test_a_marked_job_gets_another_queue_and_is_shown_so_in_its_place(fresh: Site, visits: Visits) -> None:
    ids = later(fresh, 2, queue="paper")[::-1]
    page = visits.open(fresh.url).page
    show(page, "#/jobs?filter=queue:paper")
    for key in "jjx":
        page.keyboard.press(key)
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("dialog").get_by_label("Queue").fill("mail")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 job changed.")).to_be_visible()
    expect(page.get_by_role("row").nth(2)).to_contain_text("mail", timeout=PATIENCE)
    expect_rows(page, ids)
    assert fresh.ask("GET", f"/jobs/{ids[1]}")["queue"] == "mail"


def test_what_is_deleted_is_asked_for_first(fresh: Site, visits: Visits) -> None:
    ids = failed(fresh, 2)[::-1]
    page = visits.open(fresh.url).page
    show(page, "#/jobs?status=failed")
    page.get_by_role("checkbox", name="Mark all rows").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 jobs will be deleted")
    assert grave(page) == []
    dialog.get_by_role("button", name="Do nothing").click()
    assert len(fresh.ask("GET", "/jobs")) == len(ids)
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name="Delete 2 jobs").click()
    expect(page.get_by_text("2 jobs deleted.")).to_be_visible()
    assert fresh.ask("GET", "/jobs") == []


def test_all_that_match_are_changed_by_an_operation_that_can_be_stopped(fresh: Site, visits: Visits) -> None:
    for _ in range(6):
        later(fresh, 1000, queue="bulk")
    page = visits.open(fresh.url).page
    show(page, "#/jobs?status=scheduled&filter=queue:bulk")
    page.get_by_role("button", name="Mark all that match").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel 6,000 jobs").click()
    started = page.get_by_role("region", name="Operation")
    expect(started.get_by_role("progressbar")).to_be_visible()
    started.get_by_role("button", name="Stop").click()
    expect(started).to_contain_text("cancelled")
    expect(started.get_by_role("button", name="Stop")).to_have_count(0)
    [operation] = fresh.ask("GET", "/operations")
    assert operation["status"] == "cancelled"
    assert operation["filter"] == "status:scheduled queue:bulk"
    assert operation["changed"] < 6000
    started.get_by_role("link", name="Details").click()
    settled(page)
    expect(page.locator("main")).to_contain_text("of 6,000 cancelled")
    page.get_by_role("link", name="Operations").click()
    expect(page.get_by_role("table", name="Operations")).to_contain_text(operation["by"])


def test_who_may_only_read_is_offered_nothing_else(locked: tuple[Site, Mapping[str, str]], visits: Visits) -> None:
    site, keys = locked
    page = visits.sign_in(site.url, keys["read"]).page
    show(page, "#/jobs")
    expect(page.get_by_role("table", name="Jobs")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_role("button", name="Mark all that match")).to_have_count(0)
