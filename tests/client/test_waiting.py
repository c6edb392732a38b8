"""Waiting for a job's end: told by this process's events, or seen by looking now and then."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.client.watching import INTERVAL
from ferryman.domain.errors import ResultTimeout
from ferryman.domain.events import Ended, RunsEnded
from ferryman.domain.state import Status
from tests.client import virtual
from tests.client.world import DONE, World, send


def test_an_ended_job_is_given_at_once() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        await world.client.cancel(accepted.id)
        job = await world.client.wait(accepted.id, timeout=0)
        assert job.status is Status.CANCELLED
        assert asyncio.get_running_loop().time() == 0

    virtual.run(main())


def test_an_end_in_this_process_is_noticed_at_once() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        node = await world.node("send")
        claimed = await world.claim(node)
        waiters = [asyncio.create_task(world.client.wait(accepted.id)) for _ in range(2)]
        await asyncio.wait(waiters, timeout=10 * INTERVAL)
        began = asyncio.get_running_loop().time()
        finish = await world.end(node, claimed, DONE)
        world.events.emit(RunsEnded([Ended(claimed, DONE, finish)]))
        ended = await asyncio.gather(*waiters)
        assert [job.result for job in ended] == ['"sent"', '"sent"']
        assert asyncio.get_running_loop().time() == began

    virtual.run(main())


def test_a_cancel_in_this_process_is_noticed_at_once() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        waiter = asyncio.create_task(world.client.wait(accepted.id))
        await asyncio.wait([waiter], timeout=10 * INTERVAL)
        began = asyncio.get_running_loop().time()
        await world.client.cancel(accepted.id)
        assert (await waiter).status is Status.CANCELLED
        assert asyncio.get_running_loop().time() == began

    virtual.run(main())


def test_an_end_in_another_process_is_seen_within_an_interval() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        node = await world.node("send")
        claimed = await world.claim(node)
        waiter = asyncio.create_task(world.client.wait(accepted.id))
        await asyncio.wait([waiter], timeout=11)
        began = asyncio.get_running_loop().time()
        await world.end(node, claimed, DONE)
        assert (await waiter).status is Status.COMPLETED
        assert asyncio.get_running_loop().time() - began <= INTERVAL

    virtual.run(main())


def test_an_end_soon_after_is_seen_soon() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        node = await world.node("send")
        claimed = await world.claim(node)
        waiter = asyncio.create_task(world.client.wait(accepted.id))
        await asyncio.wait([waiter], timeout=0.001)
        await world.end(node, claimed, DONE)
        await waiter
        assert asyncio.get_running_loop().time() < 0.05

    virtual.run(main())


@pytest.mark.parametrize("timeout", [0, 0.3, 7])
def test_a_wait_that_is_too_short_says_how_the_job_stands(timeout: float) -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        with pytest.raises(ResultTimeout, match=f"is pending after {timeout:g} s") as caught:
            await world.client.wait(accepted.id, timeout)
        assert isinstance(caught.value, TimeoutError)
        assert asyncio.get_running_loop().time() == pytest.approx(timeout)

    virtual.run(main())


def test_nothing_is_kept_of_waits_that_are_over() -> None:
    async def main() -> None:
        world = World()
        accepted = await world.client.enqueue(send())
        waiters = [asyncio.create_task(world.client.wait(accepted.id)) for _ in range(2)]
        await asyncio.wait(waiters, timeout=1)
        waiters[0].cancel()
        await asyncio.wait([waiters[0]])
        assert len(world.client.watcher) == 1
        await world.client.cancel(accepted.id)
        await waiters[1]
        assert len(world.client.watcher) == 0

    virtual.run(main())
