"""Viewers of a server that is busy: a page for each of them, which tells what it takes of memory."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from playwright.sync_api import Page

from tests.browser.pages import PATIENCE, fragment, settled
from tests.browser.visits import Visits
from tests.browser.watching import Watched

VIEWED: Final = (
    "overview", "jobs", "job", "errors", "queues", "nodes", "types", "schedules", "audit", "operations",
)  # fmt: skip
"""What they look at, one each; `job` is one that runs, and another one when it has ended."""
LOST: Final = "Disconnected"
BACK: Final = "Connected again"
NOTE: Final = f"""
  globalThis.noted = [];
  new MutationObserver(() => {{
    const said = [...document.querySelectorAll("[role=alert], .toast")].map((each) => each.textContent);
    for (const words of ["{LOST}", "{BACK}"]) {{
      if (!noted.includes(words) && said.some((each) => each.includes(words))) noted.push(words);
    }}
  }}).observe(document, {{ childList: true, subtree: true, characterData: true }});
"""
"""A page says only for some seconds that it is connected again, and not every page is looked at at once."""
NOTED: Final = """([words, patience]) => new Promise((resolve, reject) => {
  const end = performance.now() + patience;
  const look = () => {
    if (noted.includes(words)) resolve();
    else if (performance.now() > end) reject(new Error(`it has not said "${words}": ${document.body.innerText}`));
    else setTimeout(look, 50);
  };
  look();
})"""
LONGEST: Final = 3 * PATIENCE
"""Milliseconds in which a page has noticed that its server is gone, or there again."""


class Memory(NamedTuple):
    """What a page takes once its garbage is collected."""

    heap: float
    """Of JavaScript, in MiB."""
    nodes: float
    """Of the document, and such as nobody shows but somebody holds."""


class Viewer:
    """One page that is looked at."""

    def __init__(self, visits: Visits, url: str, name: str) -> None:
        """`name` is one of `VIEWED`; the server has to have what it shows."""
        self.name = name
        self.watched: Watched = visits.open(url)
        self._url = url
        self._job = ""
        self._page: Page = self.watched.page
        self._page.add_init_script(NOTE)
        self._page.goto("#/" if name == "job" else fragment(name, {}))
        self.go_on()
        settled(self._page)
        self._session = self._page.context.new_cdp_session(self._page)

    def memory(self) -> Memory:
        """Collect the garbage and measure what is left."""
        self._session.send("HeapProfiler.collectGarbage")
        heap: float = self._session.send("Runtime.getHeapUsage")["usedSize"]
        nodes: float = self._session.send("Memory.getDOMCounters")["nodes"]
        return Memory(heap / 2**20, nodes)

    def go_on(self) -> None:
        """Turn to a job that runs, where this is about one and that has ended."""
        if self.name != "job" or (self._job and ask(self._url, f"/jobs/{self._job}")["status"] == "processing"):
            return
        running: list[Mapping[str, Any]] = ask(self._url, "/jobs?status=processing&limit=1&order=desc")
        if running:
            self._job = running[0]["id"]
            self._page.evaluate("(to) => { location.hash = to }", fragment("job", {"job": self._job}))

    def forget(self) -> None:
        """Begin anew to note what it says."""
        self._page.evaluate("() => { noted.length = 0 }")

    def expect(self, words: str) -> None:
        """Wait until it has said that. Raises playwright's Error: it does not."""
        self._page.evaluate(NOTED, [words, LONGEST])


def ask(url: str, path: str) -> Any:
    """The JSON of an answer."""
    with urllib.request.urlopen(url + path, timeout=60) as answer:
        return json.load(answer)
