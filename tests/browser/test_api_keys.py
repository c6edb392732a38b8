"""API keys: the first one on an open site, one shown once, one in the place of another, one that opens nothing more."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.axe import grave
from tests.browser.pages import show
from tests.browser.served import Site
from tests.browser.visits import Visits


def status(site: Site, key: str) -> int:
    """What somebody gets who shows this key."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc)
    connection.request("GET", "/queues", headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse().status
    connection.close()
    return answer


def add(page: Page, name: str, *scopes: str) -> None:
    page.get_by_role("button", name="Add").click()
    dialog = page.get_by_role("dialog", name="Add an API key")
    dialog.get_by_label("Who it is for").fill(name)
    for scope in scopes:
        dialog.get_by_label(scope, exact=True).check()
    page.keyboard.press("Enter")


def shown(page: Page) -> str:
    """The key that is shown once; then it is not shown any more."""
    dialog = page.get_by_role("dialog", name="The new API key")
    key = dialog.locator("code").inner_text()
    assert key.startswith("ferryman_")
    assert grave(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text(key)
    return key


def test_keys_are_added_rotated_and_revoked(fresh: Site, visits: Visits) -> None:
    watched = visits.open(fresh.url)
    page = watched.page
    show(page, "#/api-keys")
    add(page, "harbour-master")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("admin")  # or nobody could come in any more
    page.get_by_role("dialog").get_by_label("admin").check()
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    mine = shown(page)
    assert status(fresh, mine) == 200
    expect(page.locator(".who")).to_contain_text("harbour-master")
    add(page, "pilot", "operate")
    pilot = shown(page)
    assert (status(fresh, pilot), status(fresh, "ferryman_wrong")) == (200, 401)
    row = page.get_by_role("table", name="API keys").get_by_role("row").filter(has_text="pilot")
    expect(row).to_contain_text("read, operate")
    row.get_by_role("button", name="Rotate").click()
    turned = shown(page)
    assert turned != pilot
    assert status(fresh, turned) == 200
    expect(row).to_have_count(2)
    row.get_by_role("button", name="Revoke").first.click()
    dialog = page.get_by_role("dialog", name="Revoke pilot?")
    assert grave(page) == []
    dialog.get_by_role("button", name="Revoke it").click()
    expect(row.get_by_role("button", name="Revoke")).to_have_count(1)
    row.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke it").click()
    expect(row.get_by_role("button", name="Revoke")).to_have_count(0)
    assert {status(fresh, pilot), status(fresh, turned)} == {401}
