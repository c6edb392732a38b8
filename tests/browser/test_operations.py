"""Somebody with a name retries all that has failed, and stops half-way: progress, the stop, and who it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.bulk import ANNA, Bulk, are_hers, operations_of
from tests.browser.served import Site, serving
from tests.browser.visits import Visits

JOBS = 6_000
"""So many that nobody has retried them all before somebody else can press a button."""
PATIENCE = 120_000


@pytest.fixture
def failed(tmp_path: Path) -> Iterator[Site]:
    with serving(tmp_path, f"sqlite:///{tmp_path}/jobs.db") as site:
        site.program("tests.browser.failing", site.database, "--jobs", str(JOBS))
        yield site


def test_anna_retries_all_that_has_failed_and_stops_it(failed: Site, visits: Visits) -> None:
    key = failed.add_api_key(ANNA, "operate")
    page = visits.sign_in(failed.url, key).page
    bulk = Bulk(page)
    assert bulk.ask() == f"{JOBS:,} jobs will be retried"
    bulk.start()
    expect(bulk.started.get_by_role("progressbar")).to_be_visible()
    bulk.stop()
    assert grave(page) == []
    [stopped] = operations_of(failed, key)
    assert (stopped["status"], stopped["by"]) == ("cancelled", f"api-key:{ANNA}")
    assert stopped["changed"] < JOBS
    assert are_hers(bulk.deeds())
    # had the first one gone on, the second one would not find all the others
    assert bulk.ask() == f"{JOBS - stopped['changed']:,} jobs will be retried"
    bulk.start()
    expect(bulk.started.locator(".badge")).to_have_text("completed", timeout=PATIENCE)
    second, first = operations_of(failed, key)
    assert first == stopped
    assert first["changed"] + second["changed"] == JOBS
