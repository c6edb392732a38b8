"""The stock holds what it says that it holds: else the pages would be tested with less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ferryman.client import Client
from ferryman.domain import strictjson
from ferryman.domain.errors import FerrymanError
from ferryman.domain.job import Job
from ferryman.domain.state import Status
from ferryman.main import Server
from ferryman.settings import Settings
from ferryman.supervise.role import Role
from tests.browser import payloads, stock
from tests.browser.stock import Stock
from tests.browser.stock_jobs import app
from tests.postgres.databases import Databases
from tests.servers import migrated

pytestmark = pytest.mark.anyio

TEXTS = {
    "script": "<script>alert(1)</script>",
    "right to left": "\u202egro.elpmaxe\u202c مرحبا",
    "emoji": "👩\u200d👩\u200d👧 e\u0301\u200b",
}


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/jobs.db"
        return
    databases: Databases = request.getfixturevalue("postgres")
    with migrated(databases) as url:
        yield url


@pytest.mark.parametrize("what", payloads.REFUSED)
def test_what_is_said_to_be_refused_is(what: str) -> None:
    with pytest.raises(FerrymanError):
        strictjson.parse(payloads.REFUSED[what].encode())


async def test_it_has_a_job_in_each_status_and_keeps_what_is_hostile(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server = Server(Settings(database_url=database_url, stop_deadline=0.0), app.registry, Role(http=False))
    await server.start()
    try:
        found = Stock(server.client, TEXTS)
        await found.fill()
        await looked_at(server.client, found.names)
    finally:
        await server.stop()


async def looked_at(client: Client, names: Mapping[str, str]) -> None:
    jobs = {name: await client.get(id) for name, id in names.items() if name != "operation"}
    for status in Status:
        assert any(job.status is status for job in jobs.values()), status
    for name, digits in payloads.NUMBERS.items():
        assert f'"{name}":{digits}' in jobs["exact"].payload
    assert len(jobs["largest"].payload) > 1_000_000
    assert jobs["largest"].status is jobs["deepest"].status is Status.COMPLETED
    for name, text in TEXTS.items():
        assert error_of(jobs[f"failed: {name}"]) == text
    assert len(error_of(jobs["failed at length"])) == 4096, "as much as is kept"
    assert len(await client.attempts(names["failed again"])) == 3
    logs = await client.reports.logs(names["logged"])
    assert [entry.line.message for entry in logs.lines] == [stock.ANSI, *TEXTS.values()]
    assert (await client.reports.logs(names["logged too much"])).dropped > 0
    assert jobs["snoozed"].attempt == 0
    assert jobs["tried again"].attempt == 1


def error_of(job: Job) -> str:
    assert job.error is not None
    return job.error.message
