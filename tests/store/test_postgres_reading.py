"""What a reader is told is of one moment, although it takes several statements."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.state import Status
from ferryman.store.postgres import reading
from ferryman.store.protocol import JobFilter
from ferryman.store.views import job_of
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()


@pytest.mark.parametrize("way", ["", "?pooler=transaction"])
async def test_a_job_that_ends_while_it_is_read_is_seen_as_it_was(
    database: str, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Else it is processing by the first statement, and run by nobody, without a claim number, by the second."""

    def end_meanwhile(row: Any) -> Any:
        with psycopg.connect(database) as other:
            other.execute("DELETE FROM ferryman.claim")
        return job_of(row)

    async with opened(database + way) as store:
        node = await store.register(node_info("n"), 0)
        await store.insert([new_job(IDS.mint(0))], 0)
        (job,) = (await store.claim(claim_of(node), 0)).jobs
        monkeypatch.setattr(reading, "job_of", end_meanwhile)
        read = await store.get(job.id, 0)
        assert read is not None
        assert (read.status, read.claim, read.attempt) == (Status.PROCESSING, 1, 1)


async def test_reading_leaves_the_connection_free_to_write(database: str) -> None:
    async with opened(database) as store:
        node = await store.register(node_info("n"), 0)
        await store.insert([new_job(IDS.mint(0))], 0)
        assert len(await store.list(JobFilter(), 0)) == 1
        assert (await store.counts(0)).totals["created"] == 1
        (job,) = (await store.claim(claim_of(node), 0)).jobs
        await store.finish(node, [decide(job, Outcome(What.FAILED, retryable=False), Run(1), 0)], 0)
        await store.retry(job.id, 0)
        read = await store.get(job.id, 0)
        assert read is not None
        assert read.status is Status.PENDING
