"""Pictures of the pages for docs/screenshots: `python -m tests.browser.screenshots [--out FOLDER]`.

They are of the stock, and of the steps of the tour. Times are what they are; all else is the same each time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from tests.browser import tour
from tests.browser.chromium import launched
from tests.browser.looks import DARK, DARK_PHONE, DESK, PHONE, Look
from tests.browser.pages import PAGES, fragment, show
from tests.browser.pictures import keep
from tests.browser.served import Stocked, serving
from tests.browser.visits import Visits

ROOT: Final = Path(__file__).parents[2]
PICTURES: Final[dict[str, tuple[str, Look]]] = {
    **{name.replace(" ", "-"): (name, DESK) for name in PAGES},
    "overview-dark": ("overview", DARK),
    "jobs-dark": ("jobs", DARK),
    "overview-phone": ("overview", PHONE),
    "job-phone": ("failed job", DARK_PHONE),
}


def take_pages(chromium: Browser, folder: Path, out: Path) -> None:
    """A picture of each page, with what the stock has."""
    with serving(folder, f"sqlite:///{folder}/jobs.db") as site:
        stocked = Stocked(site)
        stocked.look()
        for name, (page, look) in PICTURES.items():
            with Visits(chromium) as visits:
                watched = visits.open(site.url, look)
                show(watched.page, fragment(page, stocked.names))
                keep(watched.page, out / f"{name}.webp")


def take_tour(chromium: Browser, folder: Path, out: Path) -> None:
    """A picture of each step."""
    with tour.shop(folder) as shop, Visits(chromium) as visits:
        for step, watched in tour.go(visits, shop):
            keep(watched.page, out / f"tour-{step.name}.webp")


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
            with tempfile.TemporaryDirectory(prefix="ferryman-") as folder:
                take(chromium, Path(folder), options.out)


if __name__ == "__main__":
    main()
