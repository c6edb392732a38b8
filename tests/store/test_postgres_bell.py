"""Rings between processes on one PostgreSQL database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ferryman.store.bell import Ring
from ferryman.store.postgres import PostgresStore, bell
from ferryman.store.postgres.bell import PostgresBell
from tests.postgres.proxy import Proxy
from tests.store.files import new_job
from tests.store.servers import minter, opened

pytestmark = pytest.mark.anyio
IDS = minter()
EVERYTHING = {Ring.WORK, Ring.SCHEDULED, Ring.CANCELLED}


@asynccontextmanager
async def listening(store: PostgresStore) -> AsyncIterator[asyncio.Queue[Ring]]:
    """What a store's bell hears, from when it listens on."""
    heard: asyncio.Queue[Ring] = asyncio.Queue()
    store.bell.listen("n", heard.put_nowait)
    assert {await heard.get() for _ in EVERYTHING} == EVERYTHING, "what was rung before is unknown"
    yield heard


def sends(store: PostgresStore) -> bool:
    return store.bell._sending is not None


async def test_a_ring_is_heard_by_others_and_not_by_oneself(database: str) -> None:
    async with (
        opened(database) as one,
        opened(database) as other,
        listening(one) as heard,
        listening(other) as echo,
    ):
        one.bell.ring(Ring.CANCELLED)
        other.bell.ring(Ring.WORK)
        assert await heard.get() is Ring.WORK
        assert await echo.get() is Ring.CANCELLED
        assert heard.empty()


async def test_rings_that_pile_up_go_out_together(database: str) -> None:
    async with opened(database) as one, opened(database) as other, listening(one) as heard:
        other.bell.ring(Ring.WORK)
        assert await heard.get() is Ring.WORK
        for _ in range(50):
            other.bell.ring(Ring.SCHEDULED)
            other.bell.ring(Ring.WORK)
        assert {await heard.get(), await heard.get()} == {Ring.SCHEDULED, Ring.WORK}
        await other.bell.flush()
        assert heard.qsize() <= 2


async def test_after_a_quiet_time_a_ring_rides_in_the_insert_and_is_not_sent_twice(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "QUIET_SECONDS", 600.0)
    async with opened(database) as one, opened(database) as other, listening(one) as heard:
        await other.insert([new_job(IDS.mint(0))], 0)
        other.bell.ring(Ring.WORK)
        assert not sends(other)
        assert await heard.get() is Ring.WORK
        await other.insert([new_job(IDS.mint(0))], 0)
        other.bell.ring(Ring.WORK)
        assert sends(other), "somebody has rung a moment ago"
        assert await heard.get() is Ring.WORK
        assert heard.empty()


async def test_what_does_not_ring_for_its_insert_takes_no_ring_from_others(database: str) -> None:
    async with opened(database) as one, opened(database) as other, listening(one) as heard:
        await other.insert([new_job(IDS.mint(0))], 0)
        assert await heard.get() is Ring.WORK
        await asyncio.sleep(0)  # the step of the loop in which the insert was answered is over
        other.bell.ring(Ring.WORK)
        assert await heard.get() is Ring.WORK


async def test_what_is_scheduled_does_not_ring_by_itself(database: str) -> None:
    async with opened(database) as one, opened(database) as other, listening(one) as heard:
        await other.insert([new_job(IDS.mint(0), run_at=1 << 50)], 0)
        other.bell.ring(Ring.SCHEDULED)
        assert await heard.get() is Ring.SCHEDULED


async def test_what_was_rung_before_the_store_closes_is_sent(database: str) -> None:
    async with opened(database) as one, listening(one) as heard:
        async with opened(database) as other:
            other.bell.ring(Ring.WORK)
        assert await heard.get() is Ring.WORK


async def test_a_ring_into_a_dead_connection_is_lost_without_a_word(proxy: Proxy) -> None:
    async with opened(proxy.url()) as store:
        proxy.cut()
        store.bell.ring(Ring.WORK)
        await store.bell.flush()
        proxy.restore()


async def test_a_listener_whose_connection_was_lost_listens_again(
    proxy: Proxy, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "AGAIN_SECONDS", (0.01, 0.1))
    hears, works = PostgresBell._hears, asyncio.Event()

    async def noted(self: PostgresBell) -> bool:
        if await hears(self):
            works.set()
        return True

    monkeypatch.setattr(PostgresBell, "_hears", noted)
    async with opened(proxy.url()) as one, opened(database) as other, listening(one) as heard:
        await works.wait()  # from here on the listener waits for the end of its connection
        proxy.drop()
        assert {await heard.get() for _ in EVERYTHING} == EVERYTHING
        other.bell.ring(Ring.WORK)
        assert await heard.get() is Ring.WORK


async def test_a_listener_that_does_not_hear_itself_listens_again(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "AGAIN_SECONDS", (0.01, 0.1))
    monkeypatch.setattr(bell, "PROBE_SECONDS", 0.01)
    monkeypatch.setattr(bell, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(bell, "CHANNEL", "one")
    async with opened(proxy.url()) as store, listening(store) as heard:
        monkeypatch.setattr(bell, "CHANNEL", "other")  # what it says goes elsewhere from now on
        assert {await heard.get() for _ in EVERYTHING} == EVERYTHING
        store.bell.close()
        store.bell.close()


async def test_a_forked_child_does_not_listen(database: str) -> None:
    async with opened(database) as store, listening(store):
        listener = store.bell._listening
        store.bell.abandon()
        store.bell.close()
        assert listener is not None
        assert not listener.done()
        listener.cancel()
