"""However much happens, a page hears of it four times a second at most, and asks for more less often than that."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from playwright.sync_api import Page

from benchmarks.dashboard.serving import fed
from tests.browser.pages import PATIENCE, fragment, show
from tests.browser.served import Site
from tests.browser.visits import Visits

RATE = 2_000
"""Jobs a second that come in, as far as the machine can."""
HEARD = 24
MOST = 500
"""Answers to what a page has asked for, in which that many events have come."""
A_SECOND = 4
"""Events, at most."""
NARROW = timedelta(milliseconds=50)
"""The server's clock is asked a little before or after it has rested."""


class Ear:
    """What a page's stream tells it, and what it asks for meanwhile."""

    def __init__(self, page: Page) -> None:
        self.told: list[dict[str, Any]] = []
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._session.on("Network.eventSourceMessageReceived", self._hear)
        self._session.send("Network.enable")

    def listen(self, count: int) -> None:
        """Until so many events have come."""
        for _ in range(MOST):
            if len(self.told) >= count:
                return
            # a page that has heard of something asks for more
            self._page.wait_for_event("response", timeout=PATIENCE)
        raise AssertionError(f"{len(self.told)} events came with {MOST} answers.")

    def _hear(self, message: dict[str, Any]) -> None:
        self.told.append(json.loads(message["data"]))


def test_a_page_hears_four_times_a_second_at_most(fresh: Site, visits: Visits) -> None:
    page = visits.open(fresh.url).page
    ear = Ear(page)
    with fed(fresh.url, RATE, "keep"):
        show(page, fragment("overview", {}))
        ear.listen(HEARD)
    at = [datetime.fromisoformat(each["at"]) for each in ear.told]
    for first, fifth in zip(at, at[A_SECOND:], strict=False):
        assert fifth - first > timedelta(seconds=1) - NARROW
    # each of them tells of what many jobs have done
    assert ear.told[-1]["enqueued"] - ear.told[0]["enqueued"] > 10 * len(ear.told)
