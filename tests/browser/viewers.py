"""Ten who look for minutes at a shop that is busy: does the memory of a page, or of the server, grow?

    python -m tests.browser.viewers [--minutes 10] [--store sqlite|postgres] [--rate 20]

When a third of the time is over the server is restarted: each page has to say that it is disconnected, and that it is
back. What is judged is the rest. Exit code 1: something grows, or a page complains.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from tests.browser.chromium import launched
from tests.browser.growth import Sample, growth
from tests.browser.viewing import BACK, LOST, VIEWED, Viewer
from tests.browser.visits import Visits
from tests.postgres.databases import lent

SAMPLES: Final = 30
PATIENCE: Final = 60.0
SLACK: Final = {"MiB of the server": 8.0, "MiB": 0.5, "nodes": 200.0}
"""What each measure may grow by in any case: a list gets longer until its page is full."""
Series = dict[tuple[str, str], list[Sample]]
"""What was measured, by whose it is and by what."""


class Shop:
    """`ferryman demo --live` in a process of its own, each time at the same address."""

    def __init__(self, folder: Path, database: str, rate: float) -> None:
        """It is not started yet. `rate` is how many jobs come up a second."""
        self._log = folder / "shop.log"
        self._said = ["--database-url", database, "--rate", str(rate)]
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Serve, and wait until it does."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
        port = str(urlsplit(self.url).port or 0)
        command = [sys.executable, "-m", "ferryman", "demo", "--live", "--port", port, *self._said]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=clean, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.match(r"Look: (http://\S+)/", line):
                self.url = found[1]
                return
        raise RuntimeError(f"The shop did not open:\n{self._log.read_text()}")

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            assert self._process.stdout is not None
            self._process.stdout.close()

    def memory(self) -> float:
        """MiB that its process has in memory."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    """Read the options, look, and judge."""
    parser = argparse.ArgumentParser(description="Look at a busy server for minutes, and see whether memory grows.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rate", type=float, default=20.0, help="how many jobs come up a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ferryman-viewers-") as name, database(options.store, name) as url:
        shop = Shop(Path(name), url, options.rate)
        shop.start()
        try:
            with launched(os.environ) as chromium:
                found = look(chromium, shop, options.minutes * 60)
        finally:
            shop.stop()
    sys.exit(1 if judge(found) else 0)


@contextmanager
def database(store: str, folder: str) -> Iterator[str]:
    """The URL of an empty one."""
    if store == "sqlite":
        yield f"sqlite:///{folder}/jobs.db"
    else:
        with lent(os.environ) as databases:
            yield databases.empty()


def look(chromium: Browser, shop: Shop, seconds: float) -> Series:
    """Have ten look for so long; prints a line for each sample."""
    found: Series = defaultdict(list)
    with Visits(chromium) as visits:
        viewers = [Viewer(visits, shop.url, name) for name in VIEWED]
        say("MiB of the server; of each page MiB / nodes")
        say(f"{'minute':>7}{'server':>8}" + "".join(f"{viewer.name:>12}" for viewer in viewers))
        clock = chromium.new_page()
        began = time.monotonic()
        for number in range(SAMPLES):
            if number == SAMPLES // 3:
                restart(shop, viewers)
            clock.wait_for_timeout(max(0.0, 1000 * (began + (number + 1) * seconds / SAMPLES - time.monotonic())))
            sample(found, time.monotonic() - began, shop, viewers)
        clock.close()
    return found


def sample(found: Series, at: float, shop: Shop, viewers: list[Viewer]) -> None:
    """Measure everything once."""
    server = shop.memory()
    found["server", "MiB of the server"].append(Sample(at, server))
    line = f"{at / 60:7.1f}{server:8.1f}"
    for viewer in viewers:
        viewer.go_on()
        heap, nodes = viewer.memory()
        found[viewer.name, "MiB"].append(Sample(at, heap))
        found[viewer.name, "nodes"].append(Sample(at, nodes))
        line += f"{heap:6.2f}/{nodes:5.0f}"
    say(line)


def restart(shop: Shop, viewers: list[Viewer]) -> None:
    """Have the server go and come back; each page has to say both."""
    with ExitStack() as gone:
        for viewer in viewers:
            viewer.forget()
            gone.enter_context(viewer.watched.server_gone())
        shop.stop()
        for viewer in viewers:
            viewer.expect(LOST)
        shop.start()
        for viewer in viewers:
            viewer.expect(BACK)
    say(f"restarted: {len(viewers)} pages said that they were disconnected, and that they are back")


def say(line: str) -> None:
    """A line at once, also where it goes to a file."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def judge(found: Series) -> bool:
    """Print how each series went on; gives whether any of them grows."""
    say(f"\n{'':12}{'':18}{'second third':>13}{'last third':>12}{'an hour':>10}")
    any_grows = False
    for (whose, measure), samples in found.items():
        told = growth(samples, SLACK[measure])
        any_grows = any_grows or told.grows
        verdict = "GROWS" if told.grows else "flat"
        say(f"{whose:12}{measure:18}{told.second:13.2f}{told.last:12.2f}{told.slope:+10.2f}  {verdict}")
    say("Something grows." if any_grows else "Nothing grows.")
    return any_grows


if __name__ == "__main__":
    main()
