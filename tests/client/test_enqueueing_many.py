"""Handing many jobs in: chunk by chunk, as they arrive, and what one that is refused does to the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from ferryman.client import JobRequest
from ferryman.client.chunks import CHUNK
from ferryman.domain.errors import BadOption, UniqueKeyTaken, UnknownType
from ferryman.domain.events import Enqueued
from tests.client.world import World, send

pytestmark = pytest.mark.anyio


async def test_many_jobs_go_in_chunks(world: World) -> None:
    assert await world.client.enqueue_many(send() for _ in range(2 * CHUNK + 1)) == 2 * CHUNK + 1
    assert [len(batch) for batch in world.store.batches] == [CHUNK, CHUNK, 1]
    assert world.told == [Enqueued("send", "mail", CHUNK), Enqueued("send", "mail", CHUNK), Enqueued("send", "mail", 1)]


async def test_of_many_jobs_the_first_due_time_is_told(world: World) -> None:
    now = world.clock.now()
    await world.client.enqueue_many([send(delay=60), send(delay=30), send(), send(delay=90)])
    assert world.wakes.said == ["work", ("scheduled", now + 30_000_000)]


async def test_no_job_is_no_commit(world: World) -> None:
    assert await world.client.enqueue_many([]) == 0
    assert world.store.batches == []


async def test_many_jobs_may_arrive_asynchronously(world: World) -> None:
    async def arrive() -> AsyncIterator[JobRequest]:
        for _ in range(CHUNK + 1):
            yield send()

    assert await world.client.enqueue_many(arrive()) == CHUNK + 1
    assert [len(batch) for batch in world.store.batches] == [CHUNK, 1]


async def test_no_more_than_a_chunk_is_read_ahead(world: World) -> None:
    ahead: list[int] = []

    def requests() -> Iterator[JobRequest]:
        for number in range(3 * CHUNK):
            ahead.append(number - sum(map(len, world.store.batches)))
            yield send()

    await world.client.enqueue_many(requests())
    assert max(ahead) == CHUNK - 1


async def test_a_bad_request_among_many_ends_them_and_says_how_far_it_got(world: World) -> None:
    def requests() -> Iterator[JobRequest]:
        for _ in range(CHUNK + 5):
            yield send()
        yield send(priority=77)

    with pytest.raises(BadOption) as caught:
        await world.client.enqueue_many(requests())
    assert caught.value.__notes__ == ["1000 jobs in the chunks before this one were accepted."]
    assert sum(map(len, world.store.batches)) == CHUNK


async def test_a_refused_job_among_many_leaves_the_rest_of_its_chunk_stored(world: World) -> None:
    await world.client.enqueue(send(unique_key="k"))
    with pytest.raises(UniqueKeyTaken):
        await world.client.enqueue_many([send(), send(unique_key="k"), send()])
    assert len(await world.all()) == 3


async def test_an_unknown_type_among_many_is_refused(world: World) -> None:
    with pytest.raises(UnknownType):
        await world.client.enqueue_many([send(), JobRequest("nobody")])
    assert await world.all() == []
