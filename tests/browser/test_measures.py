"""The benchmark of the dashboard measures what it says on a small scale; its figures are for people."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from benchmarks.dashboard import __main__ as bench
from benchmarks.dashboard import busy, first
from benchmarks.dashboard.serving import ROOT, Served, fed, served
from tests.browser.pages import PAGES

JOBS = 1_000
SECONDS = 0.5


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    url = f"sqlite:///{tmp_path_factory.mktemp('bench')}/bench.db"
    command = [sys.executable, "-m", "benchmarks.dashboard.seeding", url, "--jobs", str(JOBS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["jobs"] == JOBS
    with served(url) as site:
        yield site


def test_the_store_is_as_it_is_to_be(seeded: Served) -> None:
    counts = bench.ask(seeded.url, "/counts")
    assert sum(counts[status] for status in ("completed", "failed", "cancelled", "scheduled", "pending")) == JOBS
    assert {"queue", "type", "job", "failed", "node", "group"} == set(bench.names(seeded.url))


def test_how_soon_a_page_and_a_filter_are_there(
    seeded: Served, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first, "ROUNDS", 1)
    monkeypatch.setattr(first, "PAGES", {name: PAGES[name] for name in ("errors", "about")})
    monkeypatch.setattr(first, "FILTERS", first.FILTERS[:1])
    [errors, _] = first.measure(chromium, seeded.url, {})
    [group] = bench.groups(seeded.url)
    [failed, grouped] = first.filters(chromium, seeded.url, [group])
    for measured, path in ((errors, "/errors"), (failed, "/jobs?"), (grouped, "/jobs?")):
        assert measured.turned >= measured.api > 0
        assert measured.loaded > 0
        assert measured.path.startswith(path)


def test_what_viewers_cost(seeded: Served, chromium: Browser) -> None:
    with fed(seeded.url, 40):
        cost = busy.cost(chromium, seeded, 2, SECONDS)
        frames = busy.frames(chromium, seeded.url, "queues", SECONDS)
    assert cost.viewers == 2
    assert cost.cores > 0
    assert 0 < frames.p50 <= frames.p95 <= frames.p99
