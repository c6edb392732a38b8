"""In a list without bodies they do not leave the database, but for payloads whose contents its filter asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from ferryman.domain.filters import JobFilter, parse
from ferryman.domain.job import LEFT_OUT, Job
from ferryman.domain.outcome import What
from ferryman.store import searching
from ferryman.testing.conformance.bench import Bench
from tests.store.harnesses import PostgresHarness, SqliteHarness

pytestmark = pytest.mark.anyio
BODY = '{"n":1}'


def as_it_is(job: Job) -> Job:
    """What a search would do to a job, had it nothing to leave out."""
    return job


@pytest.fixture(params=["sqlite", "postgres"])
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    """A store that shows what the database gave it."""
    monkeypatch.setattr(searching, "_without_bodies", as_it_is)
    is_sqlite = request.param == "sqlite"
    harness = SqliteHarness(tmp_path) if is_sqlite else PostgresHarness(request.getfixturevalue("postgres"), tmp_path)
    yield Bench(harness, await harness.open())
    await harness.close()


async def test_what_nobody_wants_stays_in_the_database(bench: Bench) -> None:
    await bench.finish(await bench.start(payload=BODY), What.DONE, result=BODY)

    async def read(filter: JobFilter) -> list[tuple[str, str | None]]:
        return [(job.payload, job.result) for job in await bench.store.list(filter, bench.now)]

    assert await read(JobFilter()) == [(BODY, BODY)]
    assert await read(JobFilter(bodies=False)) == [(LEFT_OUT, None)]
    asked = msgspec.structs.replace(parse("payload.n:1", bench.now), bodies=False)
    assert await read(asked) == [(BODY, None)]
