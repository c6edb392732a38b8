"""How the files of the dashboard are served: under a policy that lets no text become a script, and kept."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser.pages import settled
from tests.browser.served import Stocked
from tests.browser.visits import Visits

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", re.IGNORECASE)


def directives(policy: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (each.strip().partition(" ") for each in policy.split(";"))}


def test_the_policy_allows_what_is_shipped_and_nothing_else(stock: Stocked, visits: Visits) -> None:
    answer = visits.open(stock.site.url).page.goto("/")
    assert answer is not None
    said = directives(answer.headers["content-security-policy"])
    assert said["default-src"] == said["base-uri"] == said["form-action"] == said["frame-ancestors"] == "'none'"
    assert said["script-src"] == said["style-src"] == said["connect-src"] == "'self'"
    assert said["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert INLINE.findall(answer.text()) == []


def test_files_with_a_hash_are_kept_for_ever_and_the_page_is_asked_for_anew(stock: Stocked, visits: Visits) -> None:
    page = visits.open(stock.site.url).page
    kept: dict[str, str] = {}
    page.on("response", lambda answer: kept.update({answer.url: answer.headers.get("cache-control", "")}))
    page.goto("/")
    settled(page)
    assets = {url: said for url, said in kept.items() if "/assets/" in url}
    assert len(assets) >= 2 and all("immutable" in said for said in assets.values()), assets
    assert kept[f"{stock.site.url}/"] == "no-cache"


def test_a_page_of_another_site_cannot_frame_it(stock: Stocked, visits: Visits, other: str) -> None:
    watched = visits.open(other)
    watched.page.goto("/" + quote(f"<iframe src='{stock.site.url}/'></iframe>"))
    expect(watched.page.frame_locator("iframe").locator("main")).to_have_count(0)
    assert any("frame-ancestors" in each for each in watched.complaints), watched.complaints
    watched.complaints.clear()
