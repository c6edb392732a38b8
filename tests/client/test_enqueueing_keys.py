"""Unique keys and idempotency keys of jobs that are handed in: whose they are, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.client import JobRequest
from ferryman.domain.errors import IdempotencyKeyReused, UniqueKeyTaken
from ferryman.domain.state import Status
from ferryman.store.protocol import Retention
from tests.client.world import DAY, DONE, World, send

pytestmark = pytest.mark.anyio


async def test_a_taken_unique_key_names_its_holder(world: World) -> None:
    holder = await world.client.enqueue(send(unique_key="k"))
    with pytest.raises(UniqueKeyTaken) as caught:
        await world.client.enqueue(send(unique_key="k"))
    assert caught.value.holder == holder.id
    assert await world.all() == [holder.id]


async def test_on_conflict_return_gives_the_holder_as_it_stands(world: World) -> None:
    holder = await world.client.enqueue(send(unique_key="k", delay=60))
    world.clock.advance(1)
    other = await world.client.enqueue(send(unique_key="k", on_conflict="return"))
    assert other.existed
    assert not other.replayed
    assert other.job() == await world.client.get(holder.id)
    assert (other.id, other.status, other.created_at) == (holder.id, Status.SCHEDULED, holder.created_at)


async def test_an_idempotency_key_makes_a_repeated_request_one_job(world: World) -> None:
    first = await world.client.enqueue(send(idempotency_key="i", delay=5))
    world.clock.advance(1)
    again = await world.client.enqueue(send(idempotency_key="i", delay=5))
    assert (again.replayed, again.existed) == (True, False)
    assert again.job() == first.job()
    assert await world.all() == [first.id]


async def test_a_replayed_job_that_is_gone_is_known_by_its_id() -> None:
    world = World(Retention(completed=0, failed=0, cancelled=0))
    first = await world.client.enqueue(send(idempotency_key="i"))
    node = await world.node("send")
    await world.end(node, await world.claim(node), DONE)
    world.clock.advance(1)
    again = await world.client.enqueue(send(idempotency_key="i"))
    assert again.replayed
    assert again.id == first.id


async def test_an_idempotency_key_holds_for_a_day(world: World) -> None:
    first = await world.client.enqueue(send(idempotency_key="i"))
    world.clock.advance(DAY / 1_000_000 + 1)
    again = await world.client.enqueue(send(idempotency_key="i"))
    assert again.id != first.id


@pytest.mark.parametrize(
    "other", [{"delay": 6}, {"queue": "x"}, {"tags": ("t",)}, {"priority": 1}, {"max_attempts": 2}, {"timeout": 3}]
)
async def test_an_idempotency_key_with_another_request_is_refused(world: World, other: Any) -> None:
    first = await world.client.enqueue(send(idempotency_key="i", delay=5))
    with pytest.raises(IdempotencyKeyReused, match=first.id):
        await world.client.enqueue(send(**{"idempotency_key": "i", "delay": 5, **other}))


async def test_the_order_of_the_payloads_members_makes_no_other_request(world: World) -> None:
    first = await world.client.enqueue(JobRequest("send", '{"a":1,"b":{"c":2,"d":3}}', idempotency_key="i"))
    again = await world.client.enqueue(JobRequest("send", '{"b": {"d":3,"c":2}, "a":1}', idempotency_key="i"))
    assert again.id == first.id
    with pytest.raises(IdempotencyKeyReused):
        await world.client.enqueue(JobRequest("send", '{"a":1,"b":{"c":2,"d":4}}', idempotency_key="i"))
