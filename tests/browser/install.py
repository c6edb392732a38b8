"""Get a Chromium where there is none: `python -m tests.browser.install`.

On Debian and what comes of it apt-get does it, by sudo where one is not root; elsewhere it says what to do. Exit code
3: there is none afterwards either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.browser.chromium import INSTALL, VARIABLE, NoChromium, find

PACKAGES: Final = ("chromium", "chromium-sandbox", "fonts-dejavu-core", "fonts-noto-color-emoji")
"""What is shown in screenshots needs letters, and emoji too."""
Run = Callable[[Sequence[str]], int]


def ready(environ: Mapping[str, str], run: Run, is_root: bool) -> str:
    """The path of Chromium, which is installed where it is missing. Raises NoChromium."""
    try:
        return find(environ)
    except NoChromium:
        if environ.get(VARIABLE):
            raise
    for command in _commands(environ, is_root):
        if run(command):
            raise NoChromium(f"`{' '.join(command)}` failed; its own words are above. {INSTALL}")
    return find(environ)


def _commands(environ: Mapping[str, str], is_root: bool) -> list[list[str]]:
    """What installs it here."""
    path = environ.get("PATH")
    if shutil.which("apt-get", path=path) is None:
        raise NoChromium(f"There is no Chromium here, and no apt-get that could install it. {INSTALL}")
    if not is_root and shutil.which("sudo", path=path) is None:
        raise NoChromium(f"There is no Chromium here; to install it needs root, or sudo. {INSTALL}")
    before = [] if is_root else ["sudo"]
    install = [*before, "apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]
    return [[*before, "apt-get", "update", "--quiet"], install]


def _run(command: Sequence[str]) -> int:
    # its words belong to those who read along, not to what this prints
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, stdout=sys.stderr, check=False).returncode


if __name__ == "__main__":
    try:
        sys.stdout.write(f"Chromium: {ready(os.environ, _run, os.geteuid() == 0)}\n")
    except NoChromium as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(3)
