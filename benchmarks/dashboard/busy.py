"""What looking costs while jobs run: how even the frames are, and what each viewer takes of the server."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.dashboard.serving import Served
from tests.browser.pages import PAGES, settled

VIEWED: Final = ("overview", "jobs", "queues", "nodes", "errors", "types", "overview", "jobs", "queues", "operations")
"""What viewers look at, one after the other."""
RECORD: Final = """(milliseconds) => new Promise((resolve) => {
  const frames = [], long = [];
  const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map((each) => each.duration)));
  observer.observe({ entryTypes: ["longtask"] });
  const end = performance.now() + milliseconds;
  let last = performance.now();
  const frame = (now) => {
    frames.push(now - last);
    last = now;
    if (now < end) requestAnimationFrame(frame);
    else { observer.disconnect(); resolve({ frames: frames.slice(1).toSorted((a, b) => a - b), long }); }
  };
  requestAnimationFrame(frame);
})"""


class Frames(NamedTuple):
    """Milliseconds between frames, and tasks that took more than 50."""

    name: str
    p50: float
    p95: float
    p99: float
    long: int
    longest: float


class Cost(NamedTuple):
    """What so many viewers take of the serving process, while so many jobs a second end."""

    viewers: int
    cores: float
    ended_per_second: float


def frames(chromium: Browser, url: str, name: str, seconds: float) -> Frames:
    """Look at a page for a while."""
    with _looking(chromium, url, 1, (name,)) as [page]:
        told: dict[str, Any] = page.evaluate(RECORD, seconds * 1000)
    deltas, long = told["frames"], told["long"]
    p50, p95, p99 = (deltas[int(len(deltas) * share)] for share in (0.5, 0.95, 0.99))
    return Frames(name, p50, p95, p99, len(long), max(long, default=0.0))


def cost(chromium: Browser, served: Served, viewers: int, seconds: float) -> Cost:
    """Have so many look for a while."""
    with _looking(chromium, served.url, viewers, VIEWED):
        cpu, ended = served.cpu(), _ended(served.url)
        # the browser's own time is the clock: this program has to go on listening to it
        clock = chromium.new_page()
        clock.wait_for_timeout(seconds * 1000)
        clock.close()
        return Cost(viewers, (served.cpu() - cpu) / seconds, (_ended(served.url) - ended) / seconds)


@contextmanager
def _looking(chromium: Browser, url: str, viewers: int, names: tuple[str, ...]) -> Iterator[list[Page]]:
    contexts: list[BrowserContext] = []
    pages: list[Page] = []
    for number in range(viewers):
        contexts.append(chromium.new_context(base_url=url))
        pages.append(contexts[-1].new_page())
        pages[-1].goto(f"/{PAGES[names[number % len(names)]]}")
        settled(pages[-1])
    yield pages
    for context in contexts:
        context.close()


def _ended(url: str) -> int:
    """How many jobs have ended so far."""
    request = urllib.request.Request(f"{url}/metrics", headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        told = json.load(answer)
    return int(told["jobs_completed"])
