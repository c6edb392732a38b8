"""Placing jobs anew, purging, retrying many at a rate, waiting for a queue to become empty."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from ferryman.client import finding, retrying
from ferryman.client.retrying import Retried
from ferryman.domain import options
from ferryman.domain.errors import BadOption, JobNotFound, StoreBusy, StoreFailed, WrongState
from ferryman.domain.events import JobCancelledByRequest, JobRetriedByRequest
from ferryman.domain.job import MICROS
from ferryman.domain.state import Status
from ferryman.store.controlling import Placement
from ferryman.store.protocol import JobFilter
from tests.client import virtual
from tests.client.world import FAILED, UNKNOWN, World, send

pytestmark = pytest.mark.anyio
EVERY = JobFilter()


async def fail(world: World, count: int, **given: str) -> list[str]:
    """So many failed jobs."""
    node = await world.node("send")
    ids = []
    for n in range(count):
        unique = {name: f"{value}{n}" for name, value in given.items()}
        ids.append((await world.client.enqueue(send(**unique))).id)
        world.clock.advance(0.001)
        await world.end(node, await world.claim(node), FAILED)
    world.told.clear()
    world.wakes.said.clear()
    return ids


# -- places --------------------------------------------------------------------------------------


async def test_a_job_gets_another_queue_and_priority(world: World) -> None:
    accepted = await world.client.enqueue(send())
    world.wakes.said.clear()
    job = await world.client.controls.place(accepted.id, world.client.controls.placement(queue="bulk", priority=9))
    assert (job.queue, job.priority, job.status) == ("bulk", 9, Status.PENDING)
    assert world.wakes.said == ["work"]


async def test_a_job_is_put_off_and_brought_forward(world: World) -> None:
    accepted = await world.client.enqueue(send())
    world.wakes.said.clear()
    due = world.clock.now() + 60 * MICROS
    job = await world.client.controls.place(accepted.id, world.client.controls.placement(delay=60))
    assert (job.status, job.run_at) == (Status.SCHEDULED, due)
    assert world.wakes.said == [("scheduled", due)]
    job = await world.client.controls.place(accepted.id, world.client.controls.placement(run_at=due + 1))
    assert job.run_at == due + 1
    job = await world.client.controls.place(accepted.id, world.client.controls.placement(delay=0))
    assert job.status is Status.PENDING
    assert world.wakes.said[-1] == "work"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "Nothing is to be changed"),
        ({"queue": "a b"}, "queue cannot be"),
        ({"priority": 10}, "priority cannot be"),
        ({"delay": -1}, "delay cannot be"),
        ({"delay": 1, "run_at": 5}, "delay cannot be"),
        ({"run_at": -5}, "run_at cannot be"),
    ],
)
def test_what_is_no_placement_is_refused(world: World, asked: dict[str, int], told: str) -> None:
    with pytest.raises(BadOption, match=told):
        world.client.controls.placement(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("id", [UNKNOWN, "7", "", "x\0", "\ud800"])
async def test_a_job_that_is_not_there_cannot_be_placed(world: World, id: str) -> None:
    with pytest.raises(JobNotFound):
        await world.client.controls.place(id, Placement(priority=1))


async def test_only_a_job_that_waits_can_be_placed(world: World) -> None:
    accepted = await world.client.enqueue(send())
    await world.claim(await world.node("send"))
    with pytest.raises(WrongState, match="is processing"):
        await world.client.controls.place(accepted.id, Placement(priority=1))


async def test_a_job_with_a_key_keeps_its_place_and_is_told_why(world: World) -> None:
    await world.client.keys.pause("closed")
    ids = [(await world.client.enqueue(send(key=key))).id for key in ("open", "closed")]
    assert [(await world.client.get(id)).status for id in ids] == [Status.PENDING, Status.WAITING]
    for id in ids:
        with pytest.raises(WrongState, match="has a key, and keeps its place") as caught:
            await world.client.controls.place(id, Placement(priority=1))
        assert "gate of its key" in caught.value.why
        assert "ferryman keys" in caught.value.hint


async def test_all_that_fit_are_placed_and_no_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "CHANGED", 2)
    node = await world.node("send")
    running = await world.client.enqueue(send())
    await world.claim(node)
    meant = [(await world.client.enqueue(send())).id for _ in range(5)]
    other = await world.client.enqueue(send(queue="other"))
    begun = world.clock.now()
    world.clock.advance(1)
    late = await world.client.enqueue(send())
    count = await world.client.controls.place_all(
        JobFilter(queues=frozenset({"mail"})), Placement(priority=1), before=begun
    )
    assert count == 5
    assert [(await world.client.get(id)).priority for id in meant] == [1] * 5
    for accepted in (running, other, late):
        assert (await world.client.get(accepted.id)).priority == 3
    assert await world.client.controls.place_all(EVERY, Placement(priority=2)) == 7


async def test_a_status_that_cannot_be_meant_is_refused(world: World) -> None:
    failed, pending = JobFilter(frozenset({Status.FAILED})), JobFilter(frozenset({Status.PENDING}))
    with pytest.raises(BadOption, match="Allowed: scheduled, pending"):
        await world.client.controls.place_all(failed, Placement(priority=1))
    with pytest.raises(BadOption, match="Allowed: waiting, scheduled, pending"):
        await world.client.controls.purge(failed)
    with pytest.raises(BadOption, match="Allowed: failed, cancelled"):
        await world.client.controls.retry_all(pending)
    assert world.store.verbs == []


# -- many ----------------------------------------------------------------------------------------


async def test_a_purge_cancels_what_nobody_runs_and_tells_of_each(world: World) -> None:
    running = await world.client.enqueue(send())
    await world.claim(await world.node("send"))
    ids = [(await world.client.enqueue(send(delay=delay))).id for delay in (None, 60)]
    other = await world.client.enqueue(send(queue="other"))
    world.told.clear()
    world.wakes.said.clear()
    assert await world.client.controls.purge(JobFilter(queues=frozenset({"mail"}))) == 2
    assert world.told == [JobCancelledByRequest(id, "send", "mail", running=False) for id in ids]
    assert world.wakes.said == ["work"], "they may have had slots for which others wait"
    assert (await world.client.get(running.id)).status is Status.PROCESSING
    assert (await world.client.get(other.id)).status is Status.PENDING


async def test_a_purge_tells_of_nothing_that_was_faster(world: World) -> None:
    accepted = await world.client.enqueue(send())
    page = [await world.client.get(accepted.id)]
    await world.claim(await world.node("send"))
    world.told.clear()
    world.wakes.said.clear()
    assert await world.client._cancelling._purge(page, JobFilter(), None) == 0
    assert world.told == world.wakes.said == []


async def test_failed_jobs_are_sent_back_at_a_rate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "TOGETHER", 2)
    monkeypatch.setattr(finding, "CHANGED", 3)
    ids = await fail(world, 5)
    begin = world.clock.now()
    told = await world.client.controls.retry_all(EVERY, rate=4)
    assert told == Retried(5, 0, begin + MICROS)
    jobs = [await world.client.get(id) for id in ids]
    assert [job.status for job in jobs] == [Status.PENDING] + [Status.SCHEDULED] * 4
    assert [job.run_at for job in jobs[1:]] == [begin + n * MICROS // 4 for n in range(1, 5)]
    assert world.told == [JobRetriedByRequest(id, "send", "mail") for id in ids]
    assert world.wakes.said[:2] == ["work", ("scheduled", begin + MICROS // 4)]


async def test_at_the_slowest_rate_nothing_is_later_than_in_ten_years(world: World) -> None:
    await fail(world, 3)
    told = await world.client.controls.retry_all(EVERY, rate=options.RATE_MIN)
    assert told == Retried(3, 0, world.clock.now() + options.MAX_DELAY * MICROS)


async def test_a_rate_may_be_a_text(world: World) -> None:
    await fail(world, 2)
    told = await world.client.controls.retry_all(EVERY, rate="1/h")
    assert told == Retried(2, 0, world.clock.now() + 3600 * MICROS)


async def test_without_a_rate_all_are_pending_at_once(world: World) -> None:
    ids = await fail(world, 2)
    cancelled = await world.client.enqueue(send())
    await world.client.cancel(cancelled.id)
    assert await world.client.controls.retry_all(EVERY) == Retried(2)
    assert {(await world.client.get(id)).status for id in ids} == {Status.PENDING}
    assert (await world.client.get(cancelled.id)).status is Status.CANCELLED
    asked = JobFilter(frozenset({Status.CANCELLED}))
    assert (await world.client.controls.retry_all(asked)).count == 1


async def test_a_job_whose_unique_key_is_taken_is_counted_apart(world: World) -> None:
    ids = await fail(world, 2, unique_key="k")
    holder = await world.client.enqueue(send(unique_key="k0"))
    told = await world.client.controls.retry_all(EVERY, rate=1)
    assert (told.count, told.taken, told.last_at) == (1, 1, world.clock.now() + MICROS)
    assert (await world.client.get(ids[0])).status is Status.FAILED
    assert (await world.client.get(holder.id)).status is Status.PENDING


@pytest.mark.parametrize("rate", [0, -1, float("nan"), 1e9])
async def test_what_is_no_rate_is_refused(world: World, rate: float) -> None:
    with pytest.raises(BadOption, match="rate cannot be"):
        await world.client.controls.retry_all(EVERY, rate)


def test_a_store_that_fails_ends_it_once_all_that_is_under_way_has_ended() -> None:
    async def main() -> None:
        world = World()
        ids = await fail(world, 3)
        world.store.before["retry"] = [StoreFailed("broken"), StoreBusy("busy")]
        with pytest.raises(StoreFailed):
            await world.client.controls.retry_all(EVERY)
        assert [(await world.client.get(id)).status for id in ids] == [Status.FAILED, Status.PENDING, Status.PENDING]

    virtual.run(main())


def test_of_retries_that_fail_together_one_error_is_told_and_those_that_did_not_fail_are_announced() -> None:
    async def main() -> None:
        world, complaints = World(), list[dict[str, Any]]()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        ids = await fail(world, 3)
        world.told.clear()
        world.wakes.said.clear()
        world.store.before["retry"] = [StoreFailed("broken"), StoreFailed("broken")]
        with pytest.raises(StoreFailed):
            await world.client.controls.retry_all(EVERY)
        assert world.told == [JobRetriedByRequest(ids[2], "send", "mail")]
        assert world.wakes.said == ["work"]
        gc.collect()
        assert complaints == []

    virtual.run(main())


def test_a_busy_store_is_asked_again() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        for verb in ("place", "cancel_waiting", "retry"):
            world.store.before[verb] = [StoreBusy("busy")]
        assert (await world.client.controls.place(accepted.id, Placement(priority=1))).priority == 1
        assert await world.client.controls.purge(EVERY) == 1
        assert (await world.client.controls.retry_all(JobFilter(frozenset({Status.CANCELLED})))).count == 1

    virtual.run(main())


# -- waiting -------------------------------------------------------------------------------------


def test_a_queue_is_empty_when_nothing_of_it_is_pending_or_runs() -> None:
    async def main() -> None:
        world = World()
        node = await world.node("send")
        await world.client.enqueue(send(delay=60))
        await world.client.enqueue(send(queue="other"))
        assert await world.client.controls.drain("mail") == 0
        await world.client.enqueue(send(priority=0))
        draining = asyncio.create_task(world.client.controls.drain("mail", 100))
        await virtual.pass_time(3)
        assert not draining.done()
        await world.end(node, await world.claim(node), FAILED)
        assert await draining == 0

    virtual.run(main())


def test_a_queue_that_is_not_empty_in_time_says_how_many_are_left() -> None:
    async def main() -> None:
        world = World()
        loop = asyncio.get_running_loop()
        for _ in range(2):
            await world.client.enqueue(send())
        await world.claim(await world.node("send"))
        begun = loop.time()
        assert await world.client.controls.drain("mail", 1.25) == 2
        assert loop.time() - begun == pytest.approx(1.25)

    virtual.run(main())


async def test_a_queue_needs_a_name(world: World) -> None:
    with pytest.raises(BadOption):
        await world.client.controls.drain("a b")
