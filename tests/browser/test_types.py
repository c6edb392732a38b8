"""Types: how they do, and the form made of a type's schema that enqueues a job."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.enqueued import enqueue
from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits

TOKEN = "open-sesame"
GREAT = 12345678901234567890
"""No number of JavaScript."""


def stats(type: str) -> dict[str, object]:
    """What the server says once the minute is over."""
    spread = {"count": [4, 4], "p50": [0.1, 0.1], "p95": [0.5, 0.25], "p99": [1, 1]}
    counts = {"enqueued": [4, 4], "completed": [3, 4], "failed": [1, 0], "retried": [0, 0], "pending": [0, 0]}
    at = ["2026-11-23T06:00:00Z", "2026-11-23T06:01:00Z"]
    return {"at": at, "step": 60, "series": [{"type": type, "queue": None, **counts, "wait": spread, "run": spread}]}


def test_a_job_is_enqueued_by_a_form_that_is_made_of_the_schema(each_yard: Site, visits: Visits) -> None:
    page = visits.open(each_yard.url).page
    show(page, "#/types/fill_in")
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Enqueue fill_in")
    expect(dialog.get_by_label("discount")).to_have_value("0.5")
    expect(dialog.get_by_label("token")).to_have_attribute("type", "password")
    assert dialog.get_by_label("paper").get_by_role("option").all_inner_texts() == ["thick", "thin"]
    dialog.get_by_label("title").fill("007")
    dialog.get_by_label("copies").fill(str(GREAT))
    dialog.get_by_label("urgent").select_option("false")
    dialog.get_by_label("paper").select_option("thick")
    dialog.get_by_label("parts").fill('["a", "b"]')
    dialog.get_by_label("token").fill(TOKEN)
    assert grave(page) == []
    dialog.get_by_label("discount").fill("")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Show it").click()
    settled(page)
    job = each_yard.ended(page.url.rpartition("/")[2])
    assert job["result"] == ["007", GREAT, False, "thick", ["a", "b"], 0.5]
    expect(page.locator("main")).to_contain_text(str(GREAT))
    assert TOKEN not in page.content()


def test_wrong_input_is_told_in_the_dialog_and_nothing_is_lost(yard: Site, visits: Visits) -> None:
    watched = visits.open(yard.url)
    watched.expect(422, "/jobs")
    page = watched.page
    show(page, "#/types/fill_in")
    page.get_by_role("button", name="Enqueue").click()
    dialog = page.get_by_role("dialog")
    wrong = dialog.get_by_role("alert")
    before = len(yard.ask("GET", "/jobs?type=fill_in"))
    expect(dialog.get_by_label("title")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.validity.valueMissing")  # the browser says so
    for label, text in {"title": "t", "copies": "many", "parts": "[1", "token": TOKEN}.items():
        dialog.get_by_label(label).fill(text)
    send = dialog.get_by_role("button", name="Enqueue")
    send.click()
    expect(wrong).to_contain_text("copies: many is no number.")
    dialog.get_by_label("copies").fill("3")
    send.click()
    expect(wrong).to_contain_text("parts: [1 is no JSON.")
    dialog.get_by_label("parts").fill("[1]")
    send.click()
    expect(wrong).to_contain_text("parts")
    expect(wrong).to_contain_text("FM3")
    assert grave(page) == []
    expect(dialog.get_by_label("title")).to_have_value("t")
    assert len(yard.ask("GET", "/jobs?type=fill_in")) == before


def test_what_takes_anything_is_given_json_and_a_delay(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    show(page, "#/types/keep")
    page.get_by_role("button", name="Enqueue").click()
    dialog = page.get_by_role("dialog", name="Enqueue keep")
    dialog.get_by_label("Payload, as JSON").fill("{n: 1}")
    dialog.get_by_label("Delay").fill("3600")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("payload is no JSON")
    dialog.get_by_label("Payload, as JSON").fill('{"n": 1.0}')
    dialog.get_by_role("button", name="Enqueue").click()
    page.get_by_role("link", name="Show it").click()
    settled(page)
    job = yard.ask("GET", f"/jobs/{page.url.rpartition('/')[2]}")
    assert (job["status"], job["payload"]) == ("scheduled", {"n": 1})
    expect(page.locator("main")).to_contain_text("1.0")


def test_a_type_shows_how_it_does(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    page.route("**/stats?*", lambda route: route.fulfill(json=stats("take_turns")))
    show(page, "#/types")
    cells = page.get_by_role("table", name="Types").get_by_role("row").filter(has_text="take_turns").get_by_role("cell")
    for at, text in {3: "8", 4: "13 %", 5: "250 ms", 7: "1"}.items():
        expect(cells.nth(at)).to_have_text(text)
    cells.first.get_by_role("link").click()
    settled(page)
    expect(page.locator("main")).to_contain_text("who")
    expect(page.get_by_role("img", name="Running: p50: last 100 ms")).to_be_visible()


def test_a_type_is_paused(each_yard: Site, visits: Visits) -> None:
    page = visits.open(each_yard.url).page
    show(page, "#/types/take_turns")
    badge = page.locator("main .head .badge")
    page.get_by_role("button", name="Pause").click()
    expect(badge).to_have_text("paused")
    [id] = enqueue(each_yard, 1, "take_turns", payload={"who": "anna"})
    assert each_yard.ask("GET", f"/jobs/{id}")["status"] in {"pending", "waiting"}
    page.keyboard.press("g")
    page.keyboard.press("t")
    row = page.get_by_role("table", name="Types").get_by_role("row").filter(has_text="take_turns")
    expect(row.get_by_role("cell").nth(1)).to_have_text("paused")
    row.get_by_role("link").click()
    page.get_by_role("button", name="Resume").click()
    expect(badge).to_have_count(0)
    assert each_yard.ended(id)["status"] == "completed"


def test_a_type_that_never_was_says_so(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    show(page, "#/types/no-such-thing")
    expect(page.get_by_text("No node has ever registered this type.")).to_be_visible()
