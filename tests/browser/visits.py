"""Visits to sites: each page in a window of its own, all of them watched."""

from __future__ import annotations

from types import TracebackType

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.looks import DESK, Look
from tests.browser.watching import Watched


class Visits:
    """Opens pages, and closes them when the block ends; then what any of them complains of is an error."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        self._watched: list[Watched] = []

    def __enter__(self) -> Visits:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for context in self._contexts:
            context.close()
        if error is None:
            for watched in self._watched:
                watched.check()

    def open(self, url: str, look: Look = DESK) -> Watched:
        """A new page for a site, empty yet, of somebody whom no site knows."""
        context = self._chromium.new_context(
            base_url=url,
            color_scheme=look.scheme,
            viewport={"width": look.width, "height": look.height},
            locale="en-GB",
            timezone_id="UTC",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        self._watched.append(Watched(context.new_page(), url))
        return self._watched[-1]

    def sign_in(self, url: str, key: str, look: Look = DESK) -> Watched:
        """A new page for a site, of somebody who has shown an API key there."""
        watched = self.open(url, look)
        watched.expect(401, ".*/session")  # the page asks who looks, and is told that it has to be said
        enter(watched.page, key)
        return watched


def enter(page: Page, key: str) -> None:
    """Sign in by the form."""
    page.goto("#/")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Pages", include_hidden=True)).to_be_attached()
