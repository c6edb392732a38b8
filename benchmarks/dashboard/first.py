"""How soon a page shows what was asked for, and how much of that the API took."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, Page

from tests.browser.pages import PAGES, PATIENCE, fragment

ROUNDS: Final = 3
QUIET: Final = 300
"""A page is there that has not been loading for so many milliseconds."""
WATCH: Final = """
  globalThis.settledAt = null;
  new MutationObserver(() => {
    const main = document.querySelector("main h1") && !document.querySelector("main [aria-label=Loading]");
    if (!main) globalThis.settledAt = null;
    else globalThis.settledAt ??= performance.now();
  }).observe(document, { childList: true, subtree: true, attributes: true });
  performance.setResourceTimingBufferSize(10_000);
"""
"""From when on nothing was loading."""
THERE: Final = """([quiet, patience]) => new Promise((resolve, reject) => {
  const end = performance.now() + patience;
  const look = () => {
    const now = performance.now();
    if (globalThis.settledAt !== null && now - globalThis.settledAt > quiet) resolve();
    else if (now > end) reject(new Error(`nothing at ${location.hash}: ${document.body.innerText.slice(0, 500)}`));
    else setTimeout(look, 20);
  };
  look();
})"""
"""The page's policy forbids what Playwright itself would wait with."""
GO: Final = """(to) => {
  globalThis.settledAt = null;
  globalThis.beganAt = performance.now();
  location.hash = to;
}"""
TOLD: Final = """() => {
  const began = globalThis.beganAt ?? 0;
  const asked = performance.getEntriesByType("resource").filter(({ name, startTime, responseEnd, initiatorType }) =>
    initiatorType === "fetch" && startTime >= began && responseEnd <= globalThis.settledAt);
  const slowest = asked.toSorted((a, b) => b.duration - a.duration)[0];
  return {
    shown: globalThis.settledAt - began,
    api: slowest ? slowest.duration : 0,
    path: slowest ? slowest.name.replace(location.origin, "") : "",
    calls: asked.length,
  };
}"""
FILTERS: Final = (
    "status:failed",
    "status:failed error:timeout",
    "status:failed type:mail.*",
    "status:pending queue:backlog",
    "type:mail.send",
    "queue:billing status:completed",
    "tag:nightly",
    "payload.customer:42",
    "created:<1h",
    "finished:<10m status:failed",
    "tag:nobody-has-it",
)


class Measured(NamedTuple):
    """Milliseconds, of several rounds the median one."""

    name: str
    loaded: float
    """From an empty tab with an empty cache."""
    turned: float
    """From another page of the dashboard."""
    api: float
    """Of that, the slowest answer."""
    path: str
    """Who gave it."""


def measure(chromium: Browser, url: str, names: Mapping[str, str]) -> Iterator[Measured]:
    """Every page."""
    return (_page(chromium, url, name, fragment(name, names)) for name in PAGES if _is_known(name, names))


def filters(chromium: Browser, url: str, more: Sequence[str] = ()) -> Iterator[Measured]:
    """The list of jobs, filtered."""
    return (_page(chromium, url, each, f"#/jobs?filter={each.replace(' ', '+')}") for each in (*FILTERS, *more))


def _is_known(name: str, names: Mapping[str, str]) -> bool:
    return "{" not in PAGES[name] or any(f"{{{known}}}" in PAGES[name] for known in names)


def _page(chromium: Browser, url: str, name: str, to: str) -> Measured:
    loads = [_told(chromium, url, to, turn=False) for _ in range(ROUNDS)]
    turns = [_told(chromium, url, to, turn=True) for _ in range(ROUNDS)]
    middle = statistics.median_low([each["shown"] for each in turns])
    turned = next(each for each in turns if each["shown"] == middle)
    return Measured(name, statistics.median(each["shown"] for each in loads), middle, turned["api"], turned["path"])


def _told(chromium: Browser, url: str, to: str, *, turn: bool) -> dict[str, Any]:
    """One look, in a window of its own."""
    context = chromium.new_context(base_url=url)
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        if turn:
            page.goto("/#/about" if to != PAGES["about"] else "/#/keys")
            _wait(page)
            page.evaluate(GO, to)
        else:
            page.goto(f"/{to}")
        _wait(page)
        told: dict[str, Any] = page.evaluate(TOLD)
        return told
    finally:
        context.close()


def _wait(page: Page) -> None:
    page.evaluate(THERE, [QUIET, PATIENCE])
