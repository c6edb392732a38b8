"""Many who watch many jobs: one read per interval, whoever fails, comes or goes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from ferryman.client.watching import INTERVAL, SOON
from ferryman.domain.errors import JobNotFound, ResultTimeout, StoreBusy, StoreClosed
from ferryman.domain.job import MICROS, Job
from ferryman.domain.state import Status
from ferryman.store.watching import Version, version_of
from tests.client import virtual
from tests.client.virtual import pass_time
from tests.client.world import A_DAY, DONE, FAILED, UNKNOWN, World, send


def looks(world: World) -> int:
    """How often the watcher has read."""
    return world.store.verbs.count("versions")


def now() -> float:
    return asyncio.get_running_loop().time()


async def ended(world: World, node: int) -> str:
    """Somebody else runs the first pending job, to its end. Gives its id."""
    job = await world.claim(node)
    await world.end(node, job, DONE)
    return job.id


@pytest.mark.parametrize("waiters", [1, 500])
def test_any_number_of_waits_cost_one_read_per_interval(waiters: int) -> None:
    async def main() -> None:
        world = World()
        ids = [(await world.client.enqueue(send())).id for _ in range(waiters)]
        waits = [asyncio.ensure_future(world.client.wait(id)) for id in ids]
        await pass_time(1)
        begun, reads = looks(world), world.store.verbs.count("get")
        await pass_time(10)
        assert looks(world) - begun == pytest.approx(10 / INTERVAL, abs=1)
        assert world.store.verbs.count("get") == reads
        node = await world.node("send")
        for _ in ids:
            await ended(world, node)
        assert {job.status for job in await asyncio.gather(*waits)} == {Status.COMPLETED}

    virtual.run(main())


def test_nothing_is_read_while_nobody_watches() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        await pass_time(10)
        assert looks(world) == 0
        with pytest.raises(ResultTimeout):
            await world.client.wait(id, 1)
        reads = looks(world)
        assert reads > 0
        await pass_time(10)
        assert looks(world) == reads

    virtual.run(main())


async def times_of_looks(world: World, seconds: float) -> list[float]:
    """When the watcher looks within the next seconds."""
    begun, found = now(), list[float]()
    while now() - begun < seconds:
        known = looks(world)
        await pass_time(SOON / 2)
        found += [now() - begun] * (looks(world) - known)
    return found


def test_a_newcomer_is_looked_for_soon_and_then_less_and_less_often() -> None:
    async def main() -> None:
        world = World()
        one, another = [(await world.client.enqueue(send())).id for _ in range(2)]
        expected = pytest.approx([0.01, 0.03, 0.07, 0.15, 0.31, 0.51, 0.71, 0.91], abs=SOON)
        with world.client.watcher.watch(one):
            assert await times_of_looks(world, 1) == expected
            with world.client.watcher.watch(another):
                assert await times_of_looks(world, 1) == expected

    virtual.run(main())


def test_newcomers_never_put_a_look_off() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        with ExitStack() as watches:
            for _ in range(100):
                watches.enter_context(world.client.watcher.watch(id))
                await pass_time(SOON / 2)
        assert looks(world) >= 40

    virtual.run(main())


def test_a_store_that_fails_at_a_look_is_asked_again() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        wait = asyncio.ensure_future(world.client.wait(id))
        await pass_time(1)
        world.store.before["versions"] = [StoreBusy("no")] * 5
        await ended(world, await world.node("send"))
        world.store.before["get"] = [StoreBusy("no")] * 2
        begun = now()
        assert (await wait).status is Status.COMPLETED
        assert now() - begun == pytest.approx(8 * INTERVAL, abs=INTERVAL)

    virtual.run(main())


def test_a_wait_ends_in_time_though_the_store_fails_for_ever() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        wait = asyncio.ensure_future(world.client.wait(id, 3))
        await pass_time(1)
        world.store.before["versions"] = [StoreBusy("no")] * 1000
        with pytest.raises(ResultTimeout):
            await wait
        assert now() == pytest.approx(3)

    virtual.run(main())


def test_the_first_look_tells_its_error() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        world.store.before["get"] = [StoreBusy("no")]
        with pytest.raises(StoreBusy):
            await world.client.wait(id)
        with pytest.raises(JobNotFound):
            await world.client.wait(UNKNOWN)

    virtual.run(main())


@pytest.mark.parametrize("which", ["versions", "get"])
def test_a_wait_on_a_store_that_was_closed_ends(which: str) -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        wait = asyncio.ensure_future(world.client.wait(id))
        await pass_time(1)
        world.store.before["get"] = [StoreClosed("closed")]
        if which == "versions":
            world.store.before["versions"] = [StoreClosed("closed")]
        else:
            await ended(world, await world.node("send"))
        with pytest.raises(StoreClosed):
            await wait

    virtual.run(main())


def test_who_waits_for_a_job_that_vanishes_is_told() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        wait = asyncio.ensure_future(world.client.wait(id))
        await pass_time(1)
        await world.memory.cancel(id, world.clock.now())
        world.clock.advance(A_DAY.cancelled / MICROS)
        with pytest.raises(JobNotFound):
            await wait

    virtual.run(main())


class Slow:
    """A store whose looks take a second of the loop's time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[Sequence[str]] = []

    async def versions(self, ids: Sequence[str], now: int) -> Mapping[str, Version]:
        self.asked.append(ids)
        found = await self.world.memory.versions(ids, now)
        await pass_time(1)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.store, name)


def test_a_slow_store_rests_as_long_as_it_works() -> None:
    async def main() -> None:
        world = World()
        slow = Slow(world)
        world.client.watcher._store = slow
        id = (await world.client.enqueue(send())).id
        with world.client.watcher.watch(id):
            await pass_time(10.5)
        assert len(slow.asked) in (5, 6)
        await world.client.close()
        await pass_time(5)
        assert len(slow.asked) in (5, 6)

    virtual.run(main())


def test_who_comes_during_a_look_is_not_told_by_it() -> None:
    async def main() -> None:
        world = World()
        world.client.watcher._store = Slow(world)
        ids = [(await world.client.enqueue(send())).id for _ in range(2)]
        with world.client.watcher.watch(ids[0]):
            await pass_time(0.5)
            with world.client.watcher.watch(ids[1]) as late:
                late.known = version_of(await world.client.get(ids[1]))
                assert not await late.news(4)
        await world.client.close()

    virtual.run(main())


def test_the_close_waits_for_a_look_under_way() -> None:
    async def main() -> None:
        world = World()
        world.client.watcher._store = Slow(world)
        id = (await world.client.enqueue(send())).id
        with world.client.watcher.watch(id):
            await pass_time(0.5)
        await world.client.close()
        assert now() == pytest.approx(1 + SOON)
        assert len(asyncio.all_tasks()) == 1

    virtual.run(main())


# -- step by step ------------------------------------------------------------------------------------


async def collect(world: World, id: str, told: list[Job | None], **options: Any) -> None:
    async for job in world.client.waiting.follow(id, **options):
        told.append(job)  # noqa: PERF401 - each is there at once


def test_each_change_of_a_job_is_told_until_its_end() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        told: list[Job | None] = []
        following = asyncio.ensure_future(collect(world, id, told))
        await pass_time(1)
        node = await world.node("send")
        job = await world.claim(node)
        await pass_time(1)
        await world.end(node, job, FAILED)
        await following
        assert [each and (each.status, each.claim) for each in told] == [
            (Status.PENDING, 0),
            (Status.PROCESSING, 1),
            (Status.FAILED, 1),
        ]

    virtual.run(main())


def test_what_was_seen_already_is_not_told_again() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        seen = version_of(await world.client.get(id)).tag
        told: list[Job | None] = []
        following = asyncio.ensure_future(collect(world, id, told, seen=seen))
        await pass_time(5)
        assert told == []
        await world.client.cancel(id)
        await following
        assert [each and each.status for each in told] == [Status.CANCELLED]
        told.clear()
        await collect(world, id, told, seen=version_of(await world.client.get(id)).tag)
        assert told == []

    virtual.run(main())


def test_silence_is_told_too() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        told: list[Job | None] = []
        following = asyncio.ensure_future(collect(world, id, told, patience=15))
        await pass_time(46)
        assert [each and each.status for each in told] == [Status.PENDING, None, None, None]
        await world.client.cancel(id)
        await following

    virtual.run(main())


def test_a_retry_in_this_process_is_told_at_once() -> None:
    async def main() -> None:
        world = World()
        id = (await world.client.enqueue(send())).id
        await world.client.cancel(id)
        with world.client.watcher.watch(id) as watch:
            await world.client.retry(id)
            begun = now()
            assert await watch.news(10)
            assert now() == begun

    virtual.run(main())
