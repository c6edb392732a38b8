"""The tour of docs/tour.md: from a job that has failed to its cause and its retry, as a first-time user goes.

Each step has one way with the mouse and one with the keyboard, and both lead to where the same things are seen.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import PATIENCE, show
from tests.browser.served import Site, serving
from tests.browser.visits import Visits
from tests.browser.watching import Watched

JOBS: Final = Path(__file__).with_name("tour_jobs.py")
ORDERS: Final = 40
CUSTOMER: Final = "Ada Lovelace"
WHERE: Final = "letterhead at shop.py:"
COUNT: Final = """
window.toured = { clicks: 0, keys: 0 };
addEventListener("pointerdown", () => window.toured.clicks++, true);
addEventListener("keydown", () => window.toured.keys++, true);
"""
"""The browser itself counts: what it was not told of is not counted, and nothing else is."""


class Counted(NamedTuple):
    """What the way has cost."""

    clicks: int
    keys: int


class Shop:
    """A site where all is well but for one letter."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self._folder = folder

    def open(self) -> None:
        """Some orders come in; the invoice for one of them cannot be written."""
        labels = [{"type": "print_label", "payload": {"order": order}} for order in range(ORDERS)]
        for id in self.site.ask("POST", "/jobs/batch", {"jobs": labels})["ids"]:
            self.site.ended(id)
        invoice = {"type": "send_invoice", "payload": {"order": ORDERS, "customer": CUSTOMER}}
        self.site.ended(self.site.ask("POST", "/jobs", invoice)["id"])

    def mend(self) -> None:
        """What the cause was is no more."""
        (self._folder / "letterhead.txt").write_text("The Shop")


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """A shop that is served as long as the block, from the file `shop.py`."""
    app = folder / "shop.py"
    shutil.copy(JOBS, app)
    with serving(folder, f"sqlite:///{folder}/jobs.db", app=app) as site:
        shop = Shop(site, folder)
        shop.open()
        yield shop


class Step(NamedTuple):
    """A place on the way."""

    name: str
    """Of its picture."""
    click: Callable[[Page], Locator] | None
    """What leads there with the mouse; None where one is already."""
    keys: tuple[str, ...]
    """What leads there with the keyboard."""
    see: Callable[[Page], None]
    """Wait until what is to be seen there is seen."""


def _sees_that_a_job_has_failed(page: Page) -> None:
    expect(page.locator("main dl").get_by_title("Failed for good")).to_contain_text("1", timeout=PATIENCE)


def _sees_which_one(page: Page) -> None:
    expect(_failed(page)).to_have_count(1, timeout=PATIENCE)
    expect(page.get_by_role("row").nth(1)).to_contain_text("FileNotFoundError", timeout=PATIENCE)


def _sees_why(page: Page) -> None:
    cause = page.get_by_role("region", name="Cause")
    for each in ("FileNotFoundError", "No such file or directory", "letterhead.txt", WHERE):
        expect(cause).to_contain_text(each)
    expect(cause.get_by_text("return LETTERHEAD.read_text()")).to_be_in_viewport()
    expect(page.locator("main")).to_contain_text(CUSTOMER)


def _sees_that_it_is_well(page: Page) -> None:
    expect(page.locator("main header .badge")).to_have_text("completed", timeout=PATIENCE)
    expect(page.locator("main")).to_contain_text(f"The Shop: {CUSTOMER} pays order {ORDERS}.")
    expect(page.locator(".timeline details")).to_have_count(3)  # the run that failed, the retry, the run after it


def _failed(page: Page) -> Locator:
    return page.get_by_role("table", name="Jobs").get_by_role("link", name="failed job")


STEPS: Final = (
    Step("failed", None, (), _sees_that_a_job_has_failed),
    Step(
        "which",
        lambda page: page.locator("main dl").get_by_role("link", name="Failed"),
        ("g", "j", "7"),
        _sees_which_one,
    ),
    Step("why", _failed, ("j", "Enter"), _sees_why),
    Step("well", lambda page: page.get_by_role("button", name="Retry", exact=True), ("r",), _sees_that_it_is_well),
)


def go(visits: Visits, shop: Shop, *, keyboard: bool = False) -> Iterator[tuple[Step, Watched]]:
    """Go the way; gives each step once what is to be seen there is seen. The cause is mended before the retry."""
    watched = visits.open(shop.site.url)
    page = watched.page
    page.add_init_script(COUNT)
    show(page, "#/")
    for step in STEPS:
        if step.name == STEPS[-1].name:
            shop.mend()
        if keyboard:
            for key in step.keys:
                page.keyboard.press(key)
        elif step.click is not None:
            step.click(page).click()
        step.see(page)
        yield step, watched


def counted(watched: Watched) -> Counted:
    """What it has cost so far."""
    return Counted(**watched.page.evaluate("window.toured"))
