"""A key that somebody else's open transaction is giving to a job: who wants it, too, is told soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.domain.job import Idempotency
from ferryman.store.postgres import PostgresStore, flow, lines
from ferryman.store.postgres.connections import ENGINE
from ferryman.store.protocol import Receipt, Verdict
from ferryman.store.transactions import Entry
from tests.store.files import claim_of, new_job, node_info
from tests.store.servers import connected, minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()
THEIRS, OURS, OTHER = (IDS.mint(0) for _ in range(3))
KEYS = pytest.mark.parametrize(
    "key", [{"unique_key": "k"}, {"idempotency": Idempotency("k", "hash", 1 << 60)}], ids=["unique", "idempotency"]
)
WAITING = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@asynccontextmanager
async def giving(store: PostgresStore, url: str, key: dict[str, Any]) -> AsyncIterator[Any]:
    """An open transaction that gives the key to a job; what is yielded commits it."""
    async with connected(url) as theirs:
        transaction = theirs.transaction()
        await transaction.start()
        await store.joins.ainsert(theirs, Entry(False, lambda _: [new_job(THEIRS, **key)], 0, 0))
        yield transaction.commit


async def until_it_waits(asked: asyncio.Task[Any], url: str) -> None:
    async with connected(url) as looker:
        while not asked.done() and not await looker.fetch(WAITING):
            pass


@pytest.mark.parametrize("way", ["", "?pooler=transaction"])
@KEYS
async def test_an_enqueue_does_not_wait_for_it_for_long(database: str, key: dict[str, Any], way: str) -> None:
    async with opened(database + way) as store, giving(store, database, key) as commit:
        with pytest.raises(StoreBusy, match="with the same key"):
            await store.insert([new_job(OURS, **key)], 0)
        await commit()
        (receipt,) = (await store.insert([new_job(OURS, **key)], 0)).receipts
    assert receipt.id == THEIRS


@KEYS
async def test_claims_do_not_wait_for_it(database: str, key: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "INSERTS", ENGINE)
    for module in (lines, flow):
        monkeypatch.setattr(module, "INSERT_SECONDS", 60.0)
    async with opened(database) as store, giving(store, database, key) as commit:
        node = await store.register(node_info("n"), 0)
        asked = asyncio.create_task(store.insert([new_job(OURS, **key)], 0, claim=claim_of(node, 1)))
        await until_it_waits(asked, database)
        await store.insert([new_job(OTHER)], 0)
        (job,) = (await store.claim(claim_of(node, 2), 0)).jobs
        assert job.id == OTHER
        assert not asked.done()
        await commit()
        inserted = await asked
        assert [receipt.id for receipt in inserted.receipts] == [THEIRS]
        assert inserted.batch is not None
        assert [job.id for job in inserted.batch.jobs] == [THEIRS]


@KEYS
async def test_a_job_with_a_key_starts_with_its_enqueue(database: str, key: dict[str, Any]) -> None:
    async with opened(database) as store:
        node = await store.register(node_info("n"), 0)
        inserted = await store.insert([new_job(OURS, **key)], 0, claim=claim_of(node))
        assert inserted.receipts == [Receipt(OURS, Verdict.INSERTED)]
        assert inserted.batch is not None
        assert [job.id for job in inserted.batch.jobs] == [OURS]
