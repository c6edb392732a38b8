"""The dashboard below a prefix of somebody else's site: what it asks for is below it, and its cookie stays there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.mounted import PREFIX, mounted
from tests.browser.pages import LETTERS, PAGES, PATIENCE, settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits

PLAIN = [name for name in LETTERS.values() if "{" not in PAGES[name]]


@pytest.fixture
def store(tmp_path: Path) -> Site:
    """The store of the site; it is never served by itself."""
    site = Site(tmp_path, f"sqlite:///{tmp_path}/jobs.db")
    site.command("migrate")
    return site


@pytest.fixture
def host(store: Site, tmp_path: Path) -> Iterator[str]:
    with mounted(tmp_path, store.database) as url:
        yield url


def test_every_page_stays_below_the_prefix(host: str, visits: Visits) -> None:
    page = visits.open(f"{host}{PREFIX}/").page
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).path))
    for name in PLAIN:
        show(page, PAGES[name])
    assert {path for path in asked if not path.startswith(f"{PREFIX}/")} <= {"blank"}
    assert {f"{PREFIX}/live", f"{PREFIX}/jobs", f"{PREFIX}/session", f"{PREFIX}/stats"} <= asked
    expect(page.get_by_role("status").filter(has_text="Live").first).to_be_visible(timeout=PATIENCE)


def test_the_cookie_goes_to_the_prefix_alone(store: Site, host: str, visits: Visits) -> None:
    key = store.add_api_key("anna", "admin")
    page = visits.sign_in(f"{host}{PREFIX}/", key).page
    [cookie] = page.context.cookies()
    assert cookie.get("path") in {PREFIX, f"{PREFIX}/"}
    sent = {}
    for path in ("/openapi.json", f"{PREFIX}/openapi.json"):
        with page.expect_request(f"{host}{path}") as asked:
            page.evaluate("(path) => fetch(path).then(() => null)", path)
        sent[path] = key in asked.value.all_headers().get("cookie", "")
    assert sent == {"/openapi.json": False, f"{PREFIX}/openapi.json": True}
    page.reload()
    settled(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.context.cookies() == []


def test_who_is_signed_in_below_it_may_change_something(store: Site, host: str, visits: Visits) -> None:
    page = visits.sign_in(f"{host}{PREFIX}/", store.add_api_key("anna", "operate")).page
    show(page, "#/queues/mail")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert '"mail"' in store.command("rules", "--json")
