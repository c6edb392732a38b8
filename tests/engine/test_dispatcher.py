"""The dispatcher: claims what will start soon."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.errors import NodeNotLive
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import NodeInfo
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.dispatching import a_claim, dispatcher_of, life_of, new_jobs, noop, quick, second
from tests.engine.world import Bench, handler, pause, turns


@pytest.mark.parametrize("trip", [0.001, 0.02])
def test_one_second_jobs_are_never_buffered_with_ten_workers(trip: float) -> None:
    async def play() -> None:
        async with Bench(second, workers=10, capacity=100) as bench:
            bench.store.trip = trip
            await bench.enqueue("second", count=200)
            await bench.until_ended(200)
            channel = life_of(bench).channel
            assert (channel.high_water, channel.waiting) == (0, 0)
            assert max(request.limit for request in bench.store.requests) == 10
            assert bench.loop.time() == pytest.approx(20, rel=0.05), "overhead under 5 %"

    run_virtual(play())


def test_jobs_that_do_little_come_in_batches_that_grow_by_themselves() -> None:
    async def play() -> None:
        async with Bench(quick, workers=10, capacity=1000) as bench:
            bench.store.trip = 0.01
            await bench.enqueue("quick", count=3000)
            await bench.until_ended(3000)
            limits = [request.limit for request in bench.store.requests]
            assert limits[0] == 10
            assert max(limits) > 100
            assert bench.loop.time() < 0.45, "ten workers need 0.3 s"

    run_virtual(play())


@pytest.mark.parametrize("capacity", [1, 5, 100])
def test_the_channel_never_holds_more_than_its_capacity(capacity: int) -> None:
    async def play() -> None:
        async with Bench(quick, workers=3, capacity=capacity) as bench:
            bench.store.trip = 0.01
            await bench.enqueue("quick", count=500)
            await bench.until_ended(500)
            assert 0 < life_of(bench).channel.high_water <= capacity

    run_virtual(play())


def test_one_claim_is_in_flight_at_a_time() -> None:
    async def play() -> None:
        async with Bench(quick, workers=3, capacity=50) as bench:
            bench.store.trip = 0.01
            flying = 0
            claim = bench.store.claim

            async def counted(request: ClaimRequest, now: int) -> Any:
                nonlocal flying
                flying += 1
                assert flying == 1
                try:
                    return await claim(request, now)
                finally:
                    flying -= 1

            bench.store.claim = counted  # type: ignore[method-assign]
            await bench.enqueue("quick", count=300)
            await bench.until_ended(300)

    run_virtual(play())


def test_after_a_claim_that_found_nothing_it_waits_for_a_wakeup_or_the_poll() -> None:
    async def play() -> None:
        async with Bench(noop, workers=2) as bench:
            await turns()
            before = len(bench.store.requests)
            await pause(0.3)
            assert len(bench.store.requests) == before
            await bench.store.insert(new_jobs(bench, "noop"), bench.clock.now())  # nobody wakes it
            await bench.until_ended(1)
            assert bench.loop.time() == pytest.approx(0.5)
            await bench.enqueue("noop")
            await bench.until_ended(2)
            assert bench.loop.time() == pytest.approx(0.5)

    run_virtual(play())


def test_a_wakeup_during_a_claim_is_not_lost() -> None:
    async def play() -> None:
        async with Bench(noop, workers=2) as bench:
            await turns()
            gate = bench.store.hold("claim", "after")
            bench.wakeup.work()
            await turns()
            await bench.enqueue("noop")  # the claim in flight has not seen it
            gate.set_result(None)
            await bench.until_ended(1)
            assert bench.loop.time() == 0.0

    run_virtual(play())


def test_jobs_on_their_last_attempt_go_to_idle_workers_only_and_do_not_stall() -> None:
    async def play() -> None:
        async with Bench(quick, workers=3, capacity=100) as bench:
            bench.store.trip = 0.0005
            await bench.enqueue("quick", count=60, max_attempts=1)
            await bench.until_ended(60)
            assert life_of(bench).channel.high_water == 0
            assert bench.loop.time() < 0.1, "the next claim does not wait for the poll"

    run_virtual(play())


def test_suspects_run_one_at_a_time() -> None:
    async def play() -> None:
        running = 0

        async def suspect() -> None:
            nonlocal running
            running += 1
            assert running == 1
            await pause(1.0)
            running -= 1

        bench = Bench(suspect, second, workers=4)
        await bench.enqueue("suspect", count=3)
        for death in range(2):  # a node dies twice under each of them
            number = await bench.store.register(_dead(f"dead-{death}"), bench.clock.now())
            for _ in range(3):
                await bench.store.claim(a_claim(bench, number, "suspect"), bench.clock.now())
            bench.store._tables.nodes[number].live = False
            await bench.store.rescue(bench.clock.now(), 10)
        async with bench:
            await bench.until_ended(3)
            assert bench.loop.time() == pytest.approx(3.0)
            assert {run.outcome.what for run in bench.ended} == {What.DONE}

    run_virtual(play())


def _dead(id: str = "dead") -> NodeInfo:
    return NodeInfo(id, "host", 1, "0", frozenset({"suspect"}), None, 1)


def test_a_share_bounds_how_many_jobs_of_a_queue_are_open() -> None:
    async def play() -> None:
        running: dict[str, int] = {"mail": 0, "default": 0}
        most = dict(running)

        async def mail() -> None:
            await work("mail")

        async def other() -> None:
            await work("default")

        async def work(queue: str) -> None:
            running[queue] += 1
            most[queue] = max(most[queue], running[queue])
            await pause(1.0)
            running[queue] -= 1

        async with Bench(mail, other, workers=10, queues=(("mail", 4), ("default", None))) as bench:
            await bench.enqueue("mail", count=12, queue="mail")
            await bench.enqueue("other", count=12)
            await bench.enqueue("other", count=3, queue="not served")
            await bench.until_ended(24)
            assert most == {"mail": 4, "default": 6}
            assert bench.loop.time() == pytest.approx(3.0)
            await pause(2)
            assert len(bench.ended) == 24, "what is not served is left alone"

    run_virtual(play())


def test_a_claim_for_a_node_that_is_not_live_loses_the_node() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:
            await turns()
            old = bench.node.id
            bench.store.fail("claim", NodeNotLive("dead"))
            await bench.enqueue("noop")
            await bench.until_ended(1)
            assert bench.node.id != old

    run_virtual(play())


def test_a_node_without_handlers_never_claims() -> None:
    async def play() -> None:
        async with Bench(workers=1) as bench:
            await bench.enqueue("noop")
            await pause(2.0)
            assert not bench.store.requests
            assert bench.node.offer() is None

    run_virtual(play())


def test_a_claim_that_gives_more_than_there_is_room_for_waits_in_the_channels_hands() -> None:
    async def play() -> None:
        async with Bench(handler(second), workers=1, capacity=2) as bench:
            await turns()
            dispatcher_of(bench)._prefetch._expected = 4.0
            ids = await bench.enqueue("second", count=20)
            await turns()
            channel = life_of(bench).channel
            assert (channel.length, channel.waiting) == (2, 4), "1 runs, 2 are buffered, 4 more will have room in time"
            assert bench.store.requests[-1].limit == 7
        jobs = await bench.jobs(ids)
        assert [job.status for job in jobs].count(Status.PENDING) == 19, "the stop released what waited"
        assert await bench.store.open_batches(life_of(bench).number) == []

    run_virtual(play())
