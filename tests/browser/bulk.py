"""Retry very many jobs at once, and stop half-way: `python -m tests.browser.bulk --jobs 100000 --store postgres`.

Anna does it in the browser; what she is shown is printed. Exit code 1: it was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect

from benchmarks.postgres.places import place, server_for
from tests.browser.chromium import launched
from tests.browser.pages import PATIENCE, show
from tests.browser.served import Site, serving
from tests.browser.visits import Visits

ANNA: Final = "anna"
FILTER: Final = "status:failed"
QUIET: Final = 5.0
"""For so many seconds somebody watches whether anything is changed after the stop."""
PAUSE: Final = 250
"""Milliseconds between two looks at the progress."""
DONE: Final = re.compile(r"([\d,]+) of ([\d,]+) retried")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Bulk:
    """A page on which somebody retries all jobs that have failed."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def started(self) -> Locator:
        """What the page tells of the operation that was started on it."""
        return self._page.get_by_role("region", name="Operation")

    def ask(self) -> str:
        """Filter, mark all that match, want a retry; gives how many jobs the page says that it is about."""
        page = self._page
        show(page, "#/jobs")
        page.get_by_role("combobox", name="Filter").fill(FILTER)
        page.keyboard.press("Enter")
        expect(page.get_by_role("navigation", name="Statuses").locator("[aria-current]")).to_contain_text("failed")
        page.get_by_role("button", name="Mark all that match").click()
        page.get_by_role("button", name="Retry", exact=True).click()
        amount = page.get_by_role("dialog").get_by_role("status").filter(has_text="retried")
        expect(amount).to_be_visible(timeout=PATIENCE)
        return amount.inner_text()

    def start(self) -> None:
        """Say yes."""
        self._page.get_by_role("dialog").get_by_role("button", name="Retry").click()
        expect(self.started).to_be_visible(timeout=PATIENCE)

    def progress(self) -> Iterator[tuple[int, int]]:
        """How many are retried, of how many, each time that it has moved."""
        before = -1
        while True:
            found = DONE.search(self.started.inner_text())
            if found is not None:
                done, of = (int(each.replace(",", "")) for each in found.groups())
                if done != before:
                    yield done, of
                before = done
            self._page.wait_for_timeout(PAUSE)

    def stop(self) -> None:
        """Stop it, and wait until the page says that it has ended."""
        self.started.get_by_role("button", name="Stop").click()
        expect(self.started.locator(".badge")).to_have_text("cancelled", timeout=PATIENCE)

    def deeds(self) -> list[str]:
        """What the audit log says of the operation, the latest first: its own page leads there."""
        self.started.get_by_role("link", name="Details").click()
        self._page.get_by_role("link", name="Audit log of it").click()
        rows = self._page.get_by_role("table", name="Deeds").get_by_role("row").filter(has_text="operation.")
        expect(rows.first).to_be_visible(timeout=PATIENCE)
        return [" ".join(text.split()) for text in rows.all_inner_texts()]


def play(site: Site, key: str, page: Page) -> bool:
    """Do it, and tell what is seen; gives whether it was as it should be."""

    def told() -> tuple[Any, Any]:
        return operations_of(site, key)[0], site.ask("GET", "/counts", Authorization=f"Bearer {key}")

    bulk = Bulk(page)
    say(f"asked first: {bulk.ask()}")
    began = time.monotonic()
    bulk.start()
    for done, of in bulk.progress():
        say(f"{time.monotonic() - began:6.1f} s  {done:9,} of {of:,}")
        if done >= of // 2:
            break
    bulk.stop()
    operation, counts = told()
    say(f"stopped: {operation['status']}, {operation['changed']:,} retried, {counts['failed']:,} are left as failed")
    say(f"the page says: {' '.join(bulk.started.inner_text().split())}")
    page.wait_for_timeout(QUIET * 1000)
    later, counts_later = told()
    say(f"{QUIET:.0f} s later: {later['changed']:,} retried, {counts_later['failed']:,} failed")
    deeds = bulk.deeds()
    say("\n  ".join(["the audit log:", *deeds]))
    rested = later["changed"] == operation["changed"] and counts_later["failed"] == counts["failed"]
    partly = 0 < operation["changed"] < operation["changed"] + counts["failed"]
    return rested and partly and are_hers(deeds)


def operations_of(site: Site, key: str) -> list[Any]:
    """The operations, the latest first."""
    operations: list[Any] = site.ask("GET", "/operations", Authorization=f"Bearer {key}")
    return operations


def are_hers(deeds: list[str]) -> bool:
    """Whether the audit log says that Anna has started one operation and stopped it, and nothing else."""
    said = [" ".join(deed.split("api-key:")[1].split()[:2]) for deed in deeds]
    return said == [f"{ANNA} operation.cancel", f"{ANNA} operation.start"]


def main() -> None:
    """Read the options, fill a store, and play."""
    parser = argparse.ArgumentParser(description="Retry very many jobs, and stop half-way.")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    options = parser.parse_args()
    with (
        server_for(options.store) as server,
        place(server) as url,
        tempfile.TemporaryDirectory(prefix="ferryman-bulk-") as folder,
        serving(Path(folder), url) as site,
    ):
        began = time.monotonic()
        site.program("tests.browser.failing", url, "--jobs", str(options.jobs), patience=600.0)
        say(f"{options.jobs:,} jobs have failed on {options.store} in {time.monotonic() - began:.0f} s")
        key = site.add_api_key(ANNA, "operate")
        with launched(os.environ) as chromium, Visits(chromium) as visits:
            good = play(site, key, visits.sign_in(site.url, key).page)
    sys.exit(not good)


if __name__ == "__main__":
    main()
