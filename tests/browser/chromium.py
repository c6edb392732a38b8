"""The Chromium of this machine. Playwright's own browsers are never downloaded."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

VARIABLE: Final = "CHROMIUM"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL: Final = (
    "Install it, or say where it is: CHROMIUM=/path/to/chromium make test-browser. On Debian and Ubuntu:"
    " apt-get install chromium"
)
FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No page here needs a graphics card, and nothing here is to speak with anybody but the server under test."""


class NoChromium(Exception):
    """There is none here."""


def find(environ: Mapping[str, str]) -> str:
    """The path of Chromium: what CHROMIUM says, else what the system has. Raises NoChromium."""
    said = environ.get(VARIABLE)
    if said:
        if shutil.which(said) is None:
            raise NoChromium(f"CHROMIUM is {said}, and that is no program.")
        return said
    for name in NAMES:
        path = shutil.which(name, path=environ.get("PATH"))
        if path is not None:
            return path
    raise NoChromium(f"There is no Chromium here. {INSTALL}")


@contextmanager
def launched(environ: Mapping[str, str], more: Sequence[str] = ()) -> Iterator[Browser]:
    """A Chromium that lives as long as the block. Its sandbox needs another user than root. Raises NoChromium."""
    path = find(environ)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, headless=True, args=[*FLAGS, *more], chromium_sandbox=os.geteuid() != 0
        )
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    try:
        sys.stdout.write(find(os.environ) + "\n")
    except NoChromium as error:
        sys.exit(str(error))
