"""Pictures of the pages for docs/screenshots: `python -m tests.browser.screenshots [--out FOLDER]`.

They are of the stock, as WebP. Times are what they are; all else is the same each time.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from tests.browser.chromium import launched
from tests.browser.looks import DARK, DARK_PHONE, DESK, PHONE, Look
from tests.browser.pages import PAGES, fragment, show
from tests.browser.served import Stocked, serving
from tests.browser.visits import Visits

ROOT: Final = Path(__file__).parents[2]
MOST: Final = 150_000
"""Bytes that a picture may have."""
QUALITY: Final = 80
PICTURES: Final[dict[str, tuple[str, Look]]] = {
    **{name.replace(" ", "-"): (name, DESK) for name in PAGES},
    "overview-dark": ("overview", DARK),
    "jobs-dark": ("jobs", DARK),
    "overview-phone": ("overview", PHONE),
    "job-phone": ("failed job", DARK_PHONE),
}


def picture(chromium: Browser, stocked: Stocked, name: str, look: Look) -> bytes:
    """One page as a WebP."""
    with Visits(chromium) as visits:
        page = visits.open(stocked.site.url, look).page
        show(page, fragment(name, stocked.names))
        session = page.context.new_cdp_session(page)
        # Chromium itself writes WebP, which Playwright does not offer
        asked = {"format": "webp", "quality": QUALITY, "optimizeForSpeed": False}
        data: str = session.send("Page.captureScreenshot", asked)["data"]
    return base64.b64decode(data)


def main() -> None:
    """Fill a store, serve it, and take every picture."""
    parser = argparse.ArgumentParser(description="Take the pictures of docs/screenshots.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ferryman-screenshots-") as folder:
        url = f"sqlite:///{folder}/jobs.db"
        with serving(Path(folder), url) as site:
            stocked = Stocked(site)
            stocked.names["node"] = next(each["id"] for each in site.ask("GET", "/nodes") if each["ended_at"] is None)
            with launched(os.environ) as chromium:
                for name, (page, look) in PICTURES.items():
                    taken = picture(chromium, stocked, page, look)
                    if len(taken) > MOST:
                        sys.exit(f"{name} has {len(taken):,} bytes; {MOST:,} are allowed.")
                    (out / f"{name}.webp").write_bytes(taken)
                    sys.stdout.write(f"{name}.webp {len(taken):,} bytes\n")


if __name__ == "__main__":
    main()
