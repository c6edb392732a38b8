"""Pictures of the pages for docs/screenshots: `python -m tests.browser.screenshots [--out FOLDER]`.

They are of the shop of the demonstration, which has a past and is busy, and of the steps of the tour. Its past is the
same each time, but for the times.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Set
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Route

from tests.browser import tour
from tests.browser.alive import Alive
from tests.browser.chromium import launched
from tests.browser.looks import DARK, DARK_PHONE, DESK, PHONE, Look
from tests.browser.pages import PAGES, fragment, show
from tests.browser.pictures import keep
from tests.browser.visits import Visits

ROOT: Final = Path(__file__).parents[2]
PICTURES: Final[dict[str, tuple[str, Look]]] = {
    **{name.replace(" ", "-"): (name, DESK) for name in PAGES},
    "overview-dark": ("overview", DARK),
    "jobs-dark": ("jobs", DARK),
    "overview-phone": ("overview", PHONE),
    "job-phone": ("failed job", DARK_PHONE),
}

OPTIONS: Final = {"queue": "?window=24h"}
"""What else the address of a page says."""
PLACE: Final = "/srv/shop/jobs.db"
MOVING: Final = frozenset({"jobs", "jobs-dark"})
"""Pages on which something else is to be seen after a while."""
LOOKED: Final = 2_500
"""Milliseconds for which a page is looked at before its picture is taken: rates are of what happens meanwhile."""
TOUR: Final = "shop"
"""The folder of the tour's shop, which tracebacks name, among those of the system that are for a while."""


def take_pages(chromium: Browser, out: Path) -> None:
    """A picture of each page of a busy shop."""
    with tempfile.TemporaryDirectory(prefix="ferryman-") as folder:
        site = Alive(Path(folder))
        with site.living():
            site.begin()
            calm = {name for name in PICTURES if name.startswith(("overview", "jobs"))}
            take_some(chromium, site, calm, out)
            site.crowd()
            take_some(chromium, site, PICTURES.keys() - calm, out)


def take_some(chromium: Browser, site: Alive, names: Set[str], out: Path) -> None:
    """The pictures of these names."""
    for look in (DESK, DARK, PHONE, DARK_PHONE):
        with Visits(chromium) as visits:
            page = visits.sign_in(site.url, site.key, look).page
            page.route("**/about", elsewhere)
            for name in (name for name in PICTURES if name in names and PICTURES[name][1] == look):
                show(page, fragment(PICTURES[name][0], site.names) + OPTIONS.get(name, ""))
                page.wait_for_timeout(LOOKED if name not in MOVING else 0)
                keep(page, out / f"{name}.webp")


def elsewhere(route: Route) -> None:
    """Say what the process says of itself, but for the folder of this machine in which its file is."""
    told = route.fetch()
    about = told.json()
    about["store"]["place"] = PLACE
    route.fulfill(response=told, json=about)


def take_tour(chromium: Browser, out: Path) -> None:
    """A picture of each step."""
    folder = Path(tempfile.gettempdir()) / TOUR
    folder.mkdir()
    try:
        with tour.shop(folder) as shop, Visits(chromium) as visits:
            for step, watched in tour.go(visits, shop):
                keep(watched.page, out / f"tour-{step.name}.webp")
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description="Take the pictures of docs/screenshots.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--tour", action="store_true", help="only those of the tour")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    takes = (take_tour,) if options.tour else (take_pages, take_tour)
    with launched(os.environ) as chromium:
        for take in takes:
            take(chromium, options.out)


if __name__ == "__main__":
    main()
