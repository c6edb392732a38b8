"""Queues that are too full or too old: who is refused, who waits, and when to come again."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.client import pressure
from ferryman.domain.errors import QueueFull, StoreFailed
from ferryman.domain.state import Status
from tests.client import virtual
from tests.client.world import FAILED, World, send

pytestmark = pytest.mark.anyio


async def refused(world: World, **options: str) -> QueueFull:
    with pytest.raises(QueueFull) as caught:
        await world.client.enqueue(send(**options))
    return caught.value


# -- age -----------------------------------------------------------------------------------------


async def test_a_queue_whose_first_job_is_too_old_takes_no_more() -> None:
    world = World(max_age={"mail": 60})
    await world.client.enqueue(send(unique_key="k"))
    world.clock.advance(60)
    await world.client.enqueue(send())
    world.clock.advance(1)
    first = await refused(world)
    assert "MAX_AGE" in first.why
    await world.client.enqueue(send(queue="other"))
    node = await world.node("send")
    for _ in range(2):
        await world.claim(node)
    world.clock.advance(1)
    await world.client.enqueue(send())


async def test_what_it_has_already_it_still_knows() -> None:
    world = World(max_age=60)
    first = await world.client.enqueue(send(idempotency_key="i"))
    world.clock.advance(61)
    again = await world.client.enqueue(send(idempotency_key="i"))
    assert (again.id, again.replayed) == (first.id, True)


async def test_an_age_counts_from_when_a_job_became_pending() -> None:
    world = World(max_age=60)
    await world.client.enqueue(send(delay=100))
    world.clock.advance(90)
    await world.client.enqueue(send(delay=100))
    assert len(await world.all()) == 2


async def test_both_bounds_hold_at_once() -> None:
    world = World(max_pending={"mail": 5, "other": 2}, max_age={"mail": 60})
    await world.client.enqueue(send())
    for _ in range(2):
        await world.client.enqueue(send(queue="other"))
    world.clock.advance(61)
    assert {(await refused(world)).code, (await refused(world, queue="other")).code} == {"FM314"}


async def test_the_store_is_looked_at_once_a_second_and_only_where_it_matters() -> None:
    world = World(max_age=60)
    for _ in range(3):
        await asyncio.gather(*(world.client.enqueue(send()) for _ in range(3)))
    assert world.store.verbs.count("counts") == 1
    world.clock.advance(1)
    await world.client.enqueue(send())
    assert world.store.verbs.count("counts") == 2
    world = World(max_pending=100)
    await world.client.enqueue(send())
    assert "counts" not in world.store.verbs


# -- when to come again --------------------------------------------------------------------------


async def full(world: World, count: int, queue: str = "mail") -> None:
    for _ in range(count):
        await world.client.enqueue(send(queue=queue))


async def end(world: World, count: int) -> None:
    node = await world.node("send")
    for _ in range(count):
        await world.end(node, await world.claim(node), FAILED)


async def test_it_says_how_long_a_tenth_of_the_bound_will_take() -> None:
    world = World(max_pending={"mail": 40})
    await full(world, 40)
    assert (await refused(world)).retry_after == 1
    await end(world, 5)
    world.clock.advance(10)
    await full(world, 5)
    # half a job a second, and four are to end
    assert (await refused(world)).retry_after == 8


async def test_a_small_queue_waits_for_one_job() -> None:
    world = World(max_pending=2)
    await full(world, 2)
    await refused(world)
    await end(world, 1)
    world.clock.advance(30)
    await full(world, 1)
    assert (await refused(world)).retry_after == 30


async def test_other_queues_say_nothing_about_this_one() -> None:
    world = World(max_pending={"mail": 2})
    await full(world, 2, "quick")
    await full(world, 2)
    await refused(world)
    node = await world.node("send")
    for _ in range(2):
        await world.end(node, await world.claim(node), FAILED)
    world.clock.advance(10)
    assert (await refused(world)).retry_after == 1


async def test_only_the_last_minute_counts() -> None:
    world = World(max_pending=100)
    await full(world, 100)
    await refused(world)
    await end(world, 50)
    world.clock.advance(30)
    await full(world, 50)
    assert (await refused(world)).retry_after == 6
    world.clock.advance(45)
    assert (await refused(world)).retry_after == 1


async def test_it_is_never_more_than_an_hour() -> None:
    world = World(max_age=60)
    await full(world, 1)
    world.clock.advance(100)
    assert (await refused(world)).retry_after == 40
    world.clock.advance(100_000)
    assert (await refused(world)).retry_after == pressure.RETRY_AFTER_MAX


async def test_a_store_that_fails_does_not_hide_the_refusal() -> None:
    world = World(max_pending=1)
    await full(world, 1)
    world.store.before["counts"] = [StoreFailed("broken")]
    assert (await refused(world)).retry_after == 1


async def test_many_at_once_are_told_when_to_come_again() -> None:
    world = World(max_pending=1)
    with pytest.raises(QueueFull) as caught:
        await world.client.enqueue_many([send(), send()])
    assert caught.value.retry_after == 1


# -- waiting for room ----------------------------------------------------------------------------


def test_who_waits_gets_in_once_there_is_room() -> None:
    async def main() -> None:
        world = World(max_pending=1)
        node = await world.node("send")
        await world.client.enqueue(send())
        waiting = asyncio.create_task(world.client.enqueue(send(), wait=10))
        await virtual.pass_time(5)
        assert not waiting.done()
        await world.claim(node)
        accepted = await waiting
        assert (await world.client.get(accepted.id)).status is Status.PENDING
        assert asyncio.get_running_loop().time() == pytest.approx(5.25, abs=0.25)

    virtual.run(main())


def test_who_waits_too_long_is_refused() -> None:
    async def main() -> None:
        world = World(max_pending=1)
        await world.client.enqueue(send())
        with pytest.raises(QueueFull):
            await world.client.enqueue(send(), wait=1.1)
        assert asyncio.get_running_loop().time() == pytest.approx(1.1)
        assert len(await world.all()) == 1

    virtual.run(main())
