"""docs/dashboard.md has every page and every key that the sources have."""

from __future__ import annotations

import re

from tests.browser.building import ROOT, SOURCES
from tests.browser.pages import LETTERS, PAGES

DOCS = (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return DOCS.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_page_of_the_menu_is_there_with_its_letter() -> None:
    routes = (SOURCES / "src" / "routes.ts").read_text(encoding="utf-8")
    menu = re.findall(r'path: "([^"]+)", title: "([^"]+)", page: \w+, letter: "(\w)"', routes)
    assert {letter: f"#{path}" for path, _, letter in menu} == {letter: PAGES[name] for letter, name in LETTERS.items()}
    rows = re.findall(r"^\| ([\w ]+) \| `g` `(\w)` \|", section("Pages"), re.MULTILINE)
    assert rows == [(title, letter) for _, title, letter in menu]


def test_every_key_is_there() -> None:
    found = {
        key
        for source in (SOURCES / "src").rglob("*.tsx")
        for key in re.findall(r'\bkeys: "([^"]+)"', source.read_text(encoding="utf-8"))
    }
    assert len(found) > 10
    missing = {key for key in found if " ".join(f"`{part}`" for part in key.split("+")) not in section("Keys")}
    assert missing == set()


def test_every_route_is_tested() -> None:
    routes = (SOURCES / "src" / "routes.ts").read_text(encoding="utf-8")
    paths = {re.sub(r":\w+", "{}", path) for path in re.findall(r'path: "([^"]+)"', routes)}
    assert paths == {re.sub(r"\{\w+\}", "{}", each.removeprefix("#")) for each in PAGES.values()}
