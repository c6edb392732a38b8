"""Pictures of what a page shows, as WebP."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

MOST: Final = 150_000
"""Bytes that a picture may have."""
QUALITY: Final = 80


class TooLarge(Exception):
    """Nobody wants to wait for it."""


def keep(page: Page, file: Path) -> None:
    """Write what is to be seen of a page just now, and say how large that is. Raises TooLarge."""
    session = page.context.new_cdp_session(page)
    # Chromium itself writes WebP, which Playwright does not offer
    asked = {"format": "webp", "quality": QUALITY, "optimizeForSpeed": False}
    try:
        taken = base64.b64decode(session.send("Page.captureScreenshot", asked)["data"])
    finally:
        session.detach()
    if len(taken) > MOST:
        raise TooLarge(f"{file.name} has {len(taken):,} bytes; {MOST:,} are allowed.")
    file.write_bytes(taken)
    sys.stdout.write(f"{file.name} {len(taken):,} bytes\n")
