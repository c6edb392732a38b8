"""The page of one job: its cause is seen at once, and what one does there is done to the job that one sees."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.pages import show
from tests.browser.served import Site
from tests.browser.visits import Visits


def enqueue(site: Site, type: str, **said: Any) -> str:
    id: str = site.ask("POST", "/jobs", {"type": type, **said})["id"]
    return id


def failed(site: Site, text: str) -> str:
    """The id of a job that has failed because of something else that failed."""
    return str(site.ended(enqueue(site, "fail_again", payload={"text": text}, max_attempts=1))["id"])


def status(page: Page) -> Locator:
    """Where the head of the page says it."""
    return page.locator("main header .badge")


def test_the_cause_of_a_failure_is_there_without_a_click_and_one_key_retries(fresh: Site, visits: Visits) -> None:
    id = failed(fresh, "no number")
    page = visits.open(fresh.url).page
    show(page, f"#/jobs/{id}")
    cause = page.get_by_role("region", name="Cause")
    expect(cause).to_contain_text("Hostile")
    expect(cause).to_contain_text("fail_again at stock_jobs.py:")
    expect(cause.locator(".own").first).to_contain_text("int(text)")
    page.keyboard.press("r")
    expect(page.get_by_text("The job runs again.")).to_be_visible()
    expect(page.locator("details.line")).to_have_count(3)  # the run, the retry, the other run


def test_a_copy_keeps_numbers_as_they_were_and_leads_to_the_new_job(fresh: Site, visits: Visits) -> None:
    id = fresh.ended(enqueue(fresh, "keep", payload={"n": 9007199254740993, "x": 1.0}))["id"]
    page = visits.open(fresh.url).page
    show(page, f"#/jobs/{id}")
    page.keyboard.press("e")
    payload = page.get_by_label("Payload, as JSON")
    expect(payload).to_have_value('{\n  "n": 9007199254740993,\n  "x": 1.0\n}')
    payload.fill('{"n": 9007199254740993, "x": 2.0}')
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_text("This is the new job.")).to_be_visible()
    expect(page).not_to_have_url(f"{fresh.url}/#/jobs/{id}")
    copy = page.url.rsplit("/", 1)[1]
    assert fresh.ended(copy)["result"] == {"n": 9007199254740993, "x": 2.0}


def test_a_copy_of_a_secret_asks_for_it_and_the_server_judges_the_payload(fresh: Site, visits: Visits) -> None:
    id = fresh.ended(enqueue(fresh, "know_a_secret", payload={"token": "open sesame"}))["id"]
    watched = visits.open(fresh.url)
    watched.expect(422, "/jobs")
    page = watched.page
    show(page, f"#/jobs/{id}")
    page.get_by_role("button", name="Edit and retry").click()
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("secret in place of the stars: token")
    page.get_by_label("Payload, as JSON").fill('{"token": "other", "note": 5}')
    page.get_by_role("button", name="Enqueue").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("note")


def test_nobody_changes_another_version_than_they_see(fresh: Site, visits: Visits) -> None:
    id = enqueue(fresh, "keep", delay=3600)
    watched = visits.open(fresh.url)
    watched.expect(412, f"/jobs/{id}/cancel")
    page = watched.page
    show(page, f"#/jobs/{id}")
    expect(page.get_by_text("It is scheduled")).to_be_visible()
    seen = fresh.ask("GET", f"/jobs/{id}")

    def change_first(route: Route) -> None:
        fresh.ask("PATCH", f"/jobs/{id}", {"priority": 9})
        route.continue_()

    page.route("**/jobs/*/cancel", change_first)
    page.keyboard.press("c")
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("nothing was done")
    assert fresh.ask("GET", f"/jobs/{id}") == {**seen, "priority": 9}


def test_there_is_one_stream_and_it_is_the_jobs_own_until_it_ends(fresh: Site, visits: Visits) -> None:
    id = enqueue(fresh, "hold")
    page = visits.open(fresh.url).page
    streams: list[str] = []
    page.on("request", lambda request: streams.extend(_stream(request)))
    show(page, f"#/jobs/{id}")
    expect(status(page)).to_have_text("processing")
    page.keyboard.press("c")
    page.get_by_role("button", name="Cancel the job").click()
    expect(status(page)).to_have_text("cancelled")
    expect(page.get_by_role("alert")).to_have_count(0)
    # the browser may come once more for what has just ended, and is told to stay away
    assert {each for each in streams if each != "/live"} == {f"/jobs/{id}/events"}


def _stream(request: Request) -> list[str]:
    """Its path, where it is one."""
    return [f"/{request.url.split('/', 3)[3]}"] if request.resource_type == "eventsource" else []
