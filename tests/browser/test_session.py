"""Who looks: signing in with an API key, what its scopes let one do, and other sites that try to act in one's name."""

from __future__ import annotations

from collections.abc import Mapping

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.looks import LOOKS
from tests.browser.pages import fragment, settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits, enter

Locked = tuple[Site, Mapping[str, str]]


def test_who_shows_no_key_is_asked_for_one(locked: Locked, visits: Visits) -> None:
    site, _ = locked
    for look in LOOKS.values():
        watched = visits.open(site.url, look)
        watched.expect(401, "/session")
        watched.page.goto("/#/jobs")
        expect(watched.page.get_by_label("API key")).to_be_focused()
        assert grave(watched.page) == []


def test_a_wrong_key_is_refused_in_words(locked: Locked, visits: Visits) -> None:
    site, _ = locked
    watched = visits.open(site.url)
    watched.expect(401, "/session")
    watched.page.goto("/")
    watched.page.get_by_label("API key").fill("ferryman_wrong")
    watched.page.keyboard.press("Enter")
    expect(watched.page.get_by_role("alert")).to_contain_text("FM6")
    assert grave(watched.page) == []


def test_the_key_is_in_a_cookie_that_no_script_can_read(locked: Locked, visits: Visits) -> None:
    site, keys = locked
    page = visits.sign_in(site.url, keys["read"]).page
    [cookie] = page.context.cookies()
    assert cookie.get("httpOnly") is True
    assert cookie.get("sameSite") == "Strict"
    assert (
        page.evaluate(
            "[document.cookie, JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage})].join()"
        ).count(keys["read"])
        == 0
    )


def test_it_holds_when_the_page_is_loaded_again_and_ends_by_signing_out(locked: Locked, visits: Visits) -> None:
    site, keys = locked
    page = visits.sign_in(site.url, keys["read"]).page
    show(page, fragment("jobs", {}))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.context.cookies() == []
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()


def test_only_an_admin_is_shown_api_keys(locked: Locked, visits: Visits) -> None:
    site, keys = locked
    links = visits.sign_in(site.url, keys["read"]).page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(links.filter(has_text="Jobs")).to_have_count(1)
    expect(links.filter(has_text="API keys")).to_have_count(0)
    links = visits.sign_in(site.url, keys["admin"]).page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(links.filter(has_text="API keys")).to_have_count(1)


def test_a_key_that_may_not_read_is_told_so(locked: Locked, visits: Visits) -> None:
    site, keys = locked
    page = visits.sign_in(site.url, keys["enqueue"]).page
    page.goto("/#/jobs")
    expect(page.locator("main")).to_contain_text("read")


def test_a_page_of_another_site_can_do_nothing_in_ones_name(locked: Locked, visits: Visits, other: str) -> None:
    site, keys = locked
    mine = visits.sign_in(site.url, keys["admin"]).page
    theirs = mine.context.new_page()
    theirs.goto(other)
    # what a form could send, too: the browser asks nobody before, and to this near a site the cookie goes with it
    address = f"{site.url}/queues/mail/pause"
    with theirs.expect_response(address) as answer:
        theirs.evaluate("(url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' })", address)
    assert answer.value.status == 403
    rules = site.ask("GET", "/rules", Authorization=f"Bearer {keys['admin']}")
    assert "mail" not in [rule["name"] for rule in rules]


def test_who_is_signed_in_under_another_key_sees_its_name(locked: Locked, visits: Visits) -> None:
    site, keys = locked
    page = visits.sign_in(site.url, keys["operate"]).page
    settled(page)
    expect(page.locator(".who")).to_contain_text("operate")
    page.get_by_role("button", name="Sign out").click()
    enter(page, keys["mail"])
    expect(page.locator(".who")).to_contain_text("mail")
