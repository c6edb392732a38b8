"""Handing one job in: what is stored, what is said about it, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ferryman.client import JobRequest
from ferryman.client.inserter import PATIENCE
from ferryman.domain.errors import (
    BadOption,
    BadText,
    NodeNotLive,
    PayloadTooLarge,
    QueueFull,
    StoreBusy,
    StoreFailed,
    UniqueKeyTaken,
    UnknownType,
    WrongArgumentType,
)
from ferryman.domain.events import Enqueued
from ferryman.domain.state import Status
from tests.client import virtual
from tests.client.world import UNKNOWN, Idle, World, send

pytestmark = pytest.mark.anyio


async def test_a_job_takes_what_its_type_declares(world: World) -> None:
    accepted = await world.client.enqueue(send())
    job = await world.client.get(accepted.id)
    assert (job.queue, job.priority, job.max_attempts) == ("mail", 3, 7)
    assert job.status is Status.PENDING
    assert job.payload == '{"to":"a"}'


async def test_a_request_goes_before_the_declaration(world: World) -> None:
    asked = send(queue="slow", priority=0, max_attempts=1, timeout=2, tags=("x", "y"), unique_key="k")
    job = await world.client.get((await world.client.enqueue(asked)).id)
    assert (job.queue, job.priority, job.max_attempts, job.tags, job.unique_key) == ("slow", 0, 1, ("x", "y"), "k")
    [[stored]] = world.store.batches
    assert stored.timeout == 2.0


@pytest.mark.parametrize("options", [{}, {"delay": 60}, {"tags": ("a",), "unique_key": "k", "expires_at": 2 * 10**15}])
async def test_the_answer_is_the_job_as_the_store_has_it(world: World, options: Any) -> None:
    accepted = await world.client.enqueue(send(**options))
    job = await world.client.get(accepted.id)
    assert accepted.job() == job
    assert (accepted.created_at, accepted.status) == (job.created_at, job.status)
    assert not accepted.replayed
    assert not accepted.existed


async def test_a_delay_makes_it_scheduled_and_says_when(world: World) -> None:
    due = world.clock.now() + 1_500_000
    accepted = await world.client.enqueue(send(delay=1.5))
    assert accepted.status is Status.SCHEDULED
    assert (await world.client.get(accepted.id)).run_at == due
    assert world.wakes.said == [("scheduled", due)]


async def test_a_time_that_is_past_means_at_once(world: World) -> None:
    accepted = await world.client.enqueue(send(run_at=world.clock.now() - 1))
    assert accepted.status is Status.PENDING
    assert world.wakes.said == ["work"]


async def test_what_is_stored_is_told(world: World) -> None:
    await world.client.enqueue(send())
    assert world.wakes.said == ["work"]
    assert world.told == [Enqueued("send", "mail", 1)]


async def test_the_callers_own_id_makes_a_repeated_request_one_job(world: World) -> None:
    first = await world.client.enqueue(send(id=UNKNOWN))
    second = await world.client.enqueue(send(id=UNKNOWN))
    assert first.id == second.id == UNKNOWN
    assert await world.all() == [UNKNOWN]


async def test_enqueues_awaited_together_share_commits(world: World) -> None:
    accepted = await asyncio.gather(*(world.client.enqueue(send()) for _ in range(50)))
    assert len({each.id for each in accepted}) == 50
    assert sum(map(len, world.store.batches)) == 50
    assert len(world.store.batches) <= 2


async def test_a_cancelled_enqueue_leaves_its_neighbours_alone(world: World) -> None:
    tasks = [asyncio.create_task(world.client.enqueue(send())) for _ in range(3)]
    await asyncio.wait(tasks, timeout=0)
    tasks[1].cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended[1], asyncio.CancelledError)
    assert not isinstance(ended[0], BaseException)
    assert not isinstance(ended[2], BaseException)


async def test_close_closes_what_else_belongs_to_the_client() -> None:
    world = World()
    closed: list[int] = []
    await world.another(on_close=lambda: closed.append(world.store.closes)).close()
    assert closed == [1]


async def test_close_answers_what_is_under_way(world: World) -> None:
    world.store.gate.clear()
    enqueues = [asyncio.create_task(world.client.enqueue(send())) for _ in range(3)]
    await asyncio.wait(enqueues, timeout=0)
    closing = asyncio.create_task(world.client.close())
    await asyncio.wait([closing], timeout=0)
    assert world.store.closes == 0
    world.store.gate.set()
    await closing
    assert world.store.closes == 1
    assert len(await world.all()) == 3
    await asyncio.gather(*enqueues)


# -- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"queue": "a b"}, "queue"),
        ({"priority": 10}, "priority"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"timeout": 0}, "timeout"),
        ({"delay": -1}, "delay"),
        ({"delay": 1, "run_at": 1}, "delay"),
        ({"run_at": 10**18}, "run_at"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_at": 1_767_225_600_000_000}, "expires_at"),
        ({"expires_at": 1_767_225_660_000_000, "delay": 60}, "expires_at"),
        ({"unique_key": ""}, "unique_key"),
        ({"on_conflict": "ignore"}, "on_conflict"),
        ({"tags": "abc"}, "tags"),
        ({"idempotency_key": "a b"}, "idempotency_key"),
        ({"id": "7"}, "id"),
    ],
)
async def test_a_bad_option_is_named_and_nothing_is_stored(world: World, options: Any, option: str) -> None:
    with pytest.raises(BadOption) as caught:
        await world.client.enqueue(send(**options))
    assert caught.value.what.startswith(f"{option} cannot be")
    assert await world.all() == []
    assert world.wakes.said == []


async def test_a_payload_that_does_not_fit_the_declared_type_is_refused(world: World) -> None:
    with pytest.raises(WrongArgumentType):
        await world.client.enqueue(JobRequest("send", '{"to":1}'))
    assert await world.all() == []


async def test_a_payload_that_was_checked_is_not_checked_again(world: World) -> None:
    await world.client.enqueue(JobRequest("send", '{"to":1}', checked=True))


@pytest.mark.parametrize(("payload", "fits"), [('{"a":"12"}', True), ('{"a":"123"}', False), ('{"a":"ää"}', False)])
async def test_a_payload_has_at_most_max_body_bytes(payload: str, fits: bool) -> None:
    world = World(max_body=10)
    if fits:
        await world.client.enqueue(JobRequest("send", payload))
        return
    with pytest.raises(PayloadTooLarge, match="MAX_BODY allows 10"):
        await world.client.enqueue(JobRequest("send", payload))


async def test_a_payload_that_is_no_unicode_is_refused(world: World) -> None:
    with pytest.raises(BadText):
        await world.client.enqueue(JobRequest("send", '{"to":"\ud800"}'))


async def test_a_type_that_nobody_knows_is_refused_with_the_nearest_one(world: World) -> None:
    await world.node("shrink")
    with pytest.raises(UnknownType, match="Did you mean shrink"):
        await world.client.enqueue(JobRequest("shrnk"))
    with pytest.raises(UnknownType, match="Did you mean send"):
        await world.client.enqueue(JobRequest("sent"))
    with pytest.raises(BadOption, match="type cannot be"):
        await world.client.enqueue(JobRequest("größe"))
    assert await world.all() == []


async def test_a_type_that_a_node_registered_later_is_accepted(world: World) -> None:
    with pytest.raises(UnknownType):
        await world.client.enqueue(JobRequest("shrink"))
    await world.node("shrink")
    job = (await world.client.enqueue(JobRequest("shrink"))).job()
    await world.node("grow")
    await world.client.enqueue(JobRequest("grow"))
    assert (job.queue, job.priority, job.max_attempts, job.payload) == ("default", 5, 5, "{}")


async def test_unknown_types_are_taken_where_the_settings_allow_it() -> None:
    world = World(accept_unknown_types=True)
    await world.client.enqueue(JobRequest("anything"))
    with pytest.raises(BadOption):
        await world.client.enqueue(JobRequest("größe"))


async def test_a_full_queue_says_when_to_come_again() -> None:
    world = World(max_pending=2)
    await world.client.enqueue(send())
    await world.client.enqueue(send(delay=60))
    with pytest.raises(QueueFull) as caught:
        await world.client.enqueue(send())
    assert caught.value.retry_after == 1
    await world.client.enqueue(send(queue="other"))
    assert world.told.count(Enqueued("send", "mail", 1)) == 2


async def test_one_refusal_in_a_shared_commit_is_nobody_elses() -> None:
    world = World()
    await world.client.enqueue(send(unique_key="k"))
    ended = await asyncio.gather(
        *(world.client.enqueue(send(unique_key=key)) for key in ("j", "k", "l")), return_exceptions=True
    )
    assert [isinstance(each, UniqueKeyTaken) for each in ended] == [False, True, False]


# -- a store in trouble ------------------------------------------------------------------------------


def test_a_busy_store_is_asked_again_and_nothing_doubles() -> None:
    async def main() -> None:
        world = World()
        world.store.before["insert"] = [StoreBusy("busy")] * 3
        world.store.after["insert"] = [StoreBusy("busy, but it had been written")]
        accepted = await world.client.enqueue(send())
        assert await world.all() == [accepted.id]
        assert len(world.store.batches) == 5
        assert {job.id for batch in world.store.batches for job in batch} == {accepted.id}

    virtual.run(main())


def test_a_store_that_stays_busy_gives_the_error_within_two_seconds() -> None:
    async def main() -> None:
        world = World()
        loop = asyncio.get_running_loop()
        world.store.before["insert"] = [StoreBusy("busy")] * 1000
        began = loop.time()
        with pytest.raises(StoreBusy):
            await world.client.enqueue(send())
        assert 0 < loop.time() - began <= PATIENCE
        assert len(world.store.batches) > 3

    virtual.run(main())


async def test_a_store_that_fails_gives_the_error_to_everybody_in_the_group(world: World) -> None:
    world.store.before["insert"] = [StoreFailed("disk")]
    ended = await asyncio.gather(world.client.enqueue(send()), world.client.enqueue(send()), return_exceptions=True)
    assert [type(each) for each in ended] == [StoreFailed, StoreFailed]
    assert world.wakes.said == []
    await world.client.enqueue(send())


# -- direct dispatch ---------------------------------------------------------------------------------


async def test_an_idle_node_claims_in_the_commit_that_inserts() -> None:
    world = World()
    idle = Idle(await world.node("send"))
    client = world.another(direct=idle)
    accepted = await client.enqueue(send())
    [batch] = idle.settled
    assert batch is not None
    assert [job.id for job in batch.jobs] == [accepted.id]


async def test_without_an_offer_nothing_is_claimed_and_nothing_owed() -> None:
    world = World()
    idle = Idle(await world.node("send"))
    idle.offers = 0
    await world.another(direct=idle).enqueue(send())
    assert world.store.claims == [None]
    assert idle.settled == []


async def test_a_dead_nodes_offer_is_void_but_its_jobs_are_stored() -> None:
    world = World()
    idle = Idle(12345)
    accepted = await world.another(direct=idle).enqueue(send())
    assert await world.all() == [accepted.id]
    assert idle.settled == [None]
    assert [claim is None for claim in world.store.claims] == [False, True]


@pytest.mark.parametrize("lost", [StoreFailed("disk"), NodeNotLive("gone")])
async def test_an_offer_whose_insert_failed_is_settled_all_the_same(lost: Exception) -> None:
    world = World()
    idle = Idle(await world.node("send"))
    world.store.before["insert"] = [lost, StoreFailed("disk")]
    with pytest.raises(StoreFailed):
        await world.another(direct=idle).enqueue(send())
    assert idle.settled == [None]
