"""The pictures show a shop that has a past: it is what it says, and nothing of the machine on which it was made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.browser.building import ROOT
from tests.browser.deployed import SRV
from tests.browser.served import Site, serving

MINUTES = 45
"""There is trouble in them, as at the end of a whole day."""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("past")
    url = f"sqlite:///{folder}/jobs.db"
    module = ["tests.browser.past", url, "--minutes", str(MINUTES)]
    command = [sys.executable, "-m", "tests.browser.deployed", "elsewhere", *module]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    with serving(folder, url) as site:
        yield site


def told(site: Site, path: str) -> Any:
    return site.ask("GET", path)


def test_jobs_have_ended_in_every_way(past: Site) -> None:
    counts = told(past, "/counts")
    assert counts["completed"] > 500
    assert counts["failed"] > 20
    assert counts["cancelled"] > 0
    assert counts["processing"] == 0


def test_each_minute_has_what_charts_show_and_some_had_a_backlog(past: Site) -> None:
    [line] = told(past, "/stats?step=60")["series"]
    shown = {name: line[name] for name in ("enqueued", "completed")}
    shown |= {f"{name} {part}": line[name][part] for name in ("wait", "run") for part in ("p50", "p99")}
    assert {name for name, values in shown.items() if sum(bool(value) for value in values) < MINUTES - 1} == set()
    assert max(value or 0 for value in line["pending"]) > 10
    assert line["pending"][-2] == 0, "nothing is left of it"


def test_runs_have_failed_of_what_they_fail_of_in_the_demonstration(past: Site) -> None:
    groups = told(past, "/errors")
    assert {"MailServerAway", "BrokenImage", "CardDeclined"} <= {each["exception"] for each in groups}
    files = {each["frame"].partition(":")[0] for each in groups if each["frame"]}
    assert {"mail.py", "images.py", "billing.py"} <= files


def test_a_job_was_tried_again_and_has_logged_each_time(past: Site) -> None:
    [job, *_] = told(past, "/jobs?filter=status:failed+type:send_mail+error:MailServerAway")
    attempts = told(past, f"/jobs/{job['id']}/attempts")
    assert len(attempts) == job["max_attempts"] > 1
    assert {each["claim"] for each in told(past, f"/jobs/{job['id']}/logs")} == {each["claim"] for each in attempts}


def test_nothing_says_where_it_was_made(past: Site) -> None:
    for job in told(past, "/jobs?filter=status:failed&limit=1000"):
        for attempt in told(past, f"/jobs/{job['id']}/attempts"):
            trace = attempt["error"]["traceback"] or ""
            assert str(ROOT) not in trace
            assert f'File "{SRV}/' in trace
