"""The dispatcher: claims what will start soon, keeps the books, loses no claim."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.domain.claim import Batch, ClaimRequest
from ferryman.domain.errors import NodeNotLive, StoreBusy
from ferryman.domain.job import NewJob
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.engine.dispatcher import Dispatcher
from ferryman.engine.incarnation import Incarnation
from ferryman.store.protocol import NodeInfo
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, handler, pause, turns


async def noop() -> None:
    pass


async def second() -> None:
    await pause(1.0)


async def quick() -> None:
    await pause(0.001)


def life_of(bench: Bench) -> Incarnation:
    assert bench.node._life is not None
    return bench.node._life


def dispatcher_of(bench: Bench) -> Dispatcher:
    return life_of(bench).dispatcher


def new_jobs(bench: Bench, type: str, count: int = 1, **more: Any) -> list[NewJob]:
    now = bench.clock.now()
    return [NewJob(bench.ids.mint(now), type, "{}", now, **more) for _ in range(count)]


# -- how much --------------------------------------------------------------------------------------


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
                await bench.store.claim(_request(bench, number, "suspect"), bench.clock.now())
            bench.store._tables.nodes[number].live = False
            await bench.store.rescue(bench.clock.now(), 10)
        async with bench:
            await bench.until_ended(3)
            assert bench.loop.time() == pytest.approx(3.0)
            assert {run.outcome.what for run in bench.ended} == {What.DONE}

    run_virtual(play())


def _dead(id: str = "dead") -> NodeInfo:
    return NodeInfo(id, "host", 1, "0", frozenset({"suspect"}), None, 1)


def _request(bench: Bench, node: int, type: str) -> ClaimRequest:
    return ClaimRequest(node, bench.ids.number(), frozenset({type}), None, 10, 10, alone=True)


# -- queues ----------------------------------------------------------------------------------------


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


# -- direct dispatch -------------------------------------------------------------------------------


def test_an_offer_starts_what_was_inserted_when_it_is_settled() -> None:
    async def play() -> None:
        async with Bench(noop, workers=2) as bench:
            await turns()
            claims = bench.store.calls.count("claim")
            request = bench.node.offer()
            assert request is not None
            assert (request.limit, request.idle) == (2, 2)
            assert bench.node.offer() is None, "one at a time"
            inserted = await bench.store.insert(new_jobs(bench, "noop"), bench.clock.now(), claim=request)
            bench.node.settle(request, inserted.batch)
            await bench.until_ended(1)
            assert bench.store.calls.count("claim") == claims
            assert dispatcher_of(bench)._books._open == {}
            again = bench.node.offer()
            assert again is not None
            bench.node.settle(again, Batch(again.batch, 0, []))

    run_virtual(play())


def test_no_offer_without_an_idle_worker_or_while_a_claim_is_in_flight() -> None:
    async def play() -> None:
        async with Bench(second, workers=1) as bench:
            await turns()
            gate = bench.store.hold("claim")
            bench.wakeup.work()
            await turns()
            assert bench.node.offer() is None
            gate.set_result(None)
            await bench.enqueue("second")
            await turns()
            assert bench.node.in_progress == 1
            assert bench.node.offer() is None

    run_virtual(play())


def test_an_offer_whose_fate_is_unknown_leaves_nothing_claimed() -> None:
    async def play() -> None:
        async with Bench(noop, workers=2) as bench:
            await turns()
            request = bench.node.offer()
            assert request is not None
            (job,) = new_jobs(bench, "noop")
            await bench.store.insert([job], bench.clock.now(), claim=request)
            bench.node.settle(request, None)  # the reply was lost
            await bench.until(lambda: any(run.outcome.what is What.DONE for run in bench.ended))
            found = await bench.job(job.id)
            assert (found.status, found.attempt, found.claim) == (Status.COMPLETED, 1, 2)
            assert bench.loop.time() < 0.2, "it does not wait for the next comparison of the books"

    run_virtual(play())


def test_an_offer_that_is_settled_after_the_stop_began_is_released() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=2)
        await bench.node.start()
        await turns()
        request = bench.node.offer()
        assert request is not None
        (job,) = new_jobs(bench, "noop")
        inserted = await bench.store.insert([job], bench.clock.now(), claim=request)
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        assert not stopping.done()
        bench.node.settle(request, inserted.batch)
        await stopping
        found = await bench.job(job.id)
        assert (found.status, found.attempt) == (Status.PENDING, 0)

    run_virtual(play())


# -- trouble ---------------------------------------------------------------------------------------


def test_a_claim_whose_reply_was_lost_is_released_and_claimed_again() -> None:
    async def play() -> None:
        async with Bench(noop, workers=2) as bench:
            await turns()
            bench.store.fail("claim", StoreBusy("the reply is lost"), where="after")
            ids = await bench.enqueue("noop", count=2)
            await bench.until(lambda: sum(run.outcome.what is What.DONE for run in bench.ended) == 2)
            jobs = await bench.jobs(ids)
            assert {(job.status, job.attempt, job.claim) for job in jobs} == {(Status.COMPLETED, 1, 2)}
            assert bench.loop.time() < 0.2, "it does not wait for the next comparison of the books"

    run_virtual(play())


@pytest.mark.parametrize("error", [StoreBusy("busy"), RuntimeError("unforeseen")])
def test_a_claim_that_fails_is_tried_again_even_if_the_books_cannot_be_read_either(error: Exception) -> None:
    async def play() -> None:
        async with Bench(noop, workers=2) as bench:
            await turns()
            bench.store.fail("claim", error, times=3)
            bench.store.fail("open_batches", error, times=3)
            await bench.enqueue("noop")
            await bench.until_ended(1)

    run_virtual(play())


def test_reconcile_releases_what_the_node_does_not_know_and_nothing_else() -> None:
    async def play() -> None:
        async with Bench(second, workers=1) as bench:
            (mine,) = await bench.enqueue("second")
            await turns()
            (lost,) = new_jobs(bench, "second")
            number = life_of(bench).number
            await bench.store.insert([lost], bench.clock.now(), claim=_request(bench, number, "second"))
            assert (await bench.job(lost.id)).status is Status.PROCESSING
            await dispatcher_of(bench).reconcile()
            assert (await bench.job(lost.id)).status is Status.PENDING
            assert (await bench.job(mine)).status is Status.PROCESSING
            await bench.until_ended(2)
            assert (await bench.job(mine)).claim == 1

    run_virtual(play())


def test_reconcile_spares_a_batch_of_which_some_runs_have_ended() -> None:
    async def play() -> None:
        async with Bench(quick, second, workers=3) as bench:
            now = bench.clock.now()
            jobs = [*new_jobs(bench, "quick"), *new_jobs(bench, "second", 2)]
            await bench.store.insert(jobs, now)
            bench.wakeup.work()
            await bench.until_ended(1)
            await dispatcher_of(bench).reconcile()
            await bench.until_ended(3)
            assert {(job.status, job.claim) for job in await bench.jobs([job.id for job in jobs])} == {
                (Status.COMPLETED, 1)
            }
            assert dispatcher_of(bench)._books._open == {}

    run_virtual(play())


def test_reconcile_spares_the_claim_in_flight() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:
            await turns()
            gate = bench.store.hold("claim", "after")
            (id,) = await bench.enqueue("noop")
            await turns()
            assert (await bench.job(id)).status is Status.PROCESSING
            await dispatcher_of(bench).reconcile()
            assert (await bench.job(id)).status is Status.PROCESSING
            gate.set_result(None)
            await bench.until_ended(1)
            assert (await bench.job(id)).claim == 1

    run_virtual(play())


def test_the_books_are_compared_every_ten_seconds() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:
            await pause(35.0)
            assert bench.store.calls.count("open_batches") == 4
            assert bench.store.calls.count("release") == 0

    run_virtual(play())


def test_a_claim_that_arrives_after_the_stop_began_is_released() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1)
        await bench.node.start()
        await turns()
        gate = bench.store.hold("claim", "after")
        (id,) = await bench.enqueue("noop")
        await turns()
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        assert not stopping.done(), "it waits for the claim under way"
        gate.set_result(None)
        await stopping
        job = await bench.job(id)
        assert (job.status, job.attempt) == (Status.PENDING, 0)

    run_virtual(play())


def test_a_claim_that_fails_during_the_stop_leaves_nothing_claimed() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1)
        await bench.node.start()
        await turns()
        bench.store.fail("claim", StoreBusy("the reply is lost"), where="after")
        gate = bench.store.hold("open_batches")
        (id,) = await bench.enqueue("noop")
        await pause(0.2)
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        gate.set_result(None)
        await stopping
        job = await bench.job(id)
        assert (job.status, job.attempt) == (Status.PENDING, 0)
        assert "retire" in bench.store.calls

    run_virtual(play())


@pytest.mark.parametrize(("failures", "retired"), [(4, True), (10_000, False)])
def test_a_node_retires_only_when_it_knows_that_it_holds_nothing(failures: int, retired: bool) -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1, lease=10.0)
        await bench.node.start()
        await turns()
        bench.store.fail("claim", StoreBusy("the reply is lost"), where="after")
        bench.store.fail("release", StoreBusy("busy"), times=failures)
        (id,) = await bench.enqueue("noop")
        await turns()
        await bench.node.stop()
        assert ("retire" in bench.store.calls) is retired
        assert (await bench.job(id)).status is (Status.PENDING if retired else Status.PROCESSING)
        assert bench.loop.time() < 13.0, "a lease, and the pause under way"

    run_virtual(play())


@pytest.mark.parametrize("failures", [0, 3])
def test_a_claim_that_comes_between_the_last_look_and_the_retirement_is_released(failures: int) -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1, lease=10.0)
        await bench.node.start()
        await turns()
        number = life_of(bench).number
        gate = bench.store.hold("retire")
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        assert bench.store.calls[-2:] == ["open_batches", "retire"]
        (job,) = new_jobs(bench, "noop")  # a claim over a connection that was lost: nobody hears of what it gives
        await bench.store.insert([job], bench.clock.now(), claim=_request(bench, number, "noop"))
        assert (await bench.job(job.id)).status is Status.PROCESSING
        bench.store.fail("open_batches", StoreBusy("busy"), times=failures)
        gate.set_result(None)
        await stopping
        read = await bench.job(job.id)
        assert (read.status, read.attempt) == (Status.PENDING, 0)

    run_virtual(play())


@pytest.mark.parametrize("times", [1, 1000])
def test_a_node_retires_as_soon_as_the_store_hears_it_or_is_given_up_after_a_lease(times: int) -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1, lease=10.0)
        await bench.node.start()
        await turns()
        bench.store.fail("retire", StoreBusy("busy"), times=times)
        began = bench.loop.time()
        await bench.node.stop()
        if times == 1:
            assert bench.store.calls[-2:] == ["retire", "open_batches"], "then it looks once more"
            assert bench.loop.time() - began < 1.0
        else:
            assert bench.store.calls[-1] == "retire", "it will be found dead, whatever it holds"
            assert 10.0 <= bench.loop.time() - began < 13.0

    run_virtual(play())


def test_a_node_that_cannot_vouch_for_claims_makes_none_until_it_can_again() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:
            life = bench.node._life
            assert life is not None
            lease = life.dispatcher._lease
            lease.until = bench.loop.time()
            (id,) = await bench.enqueue("noop")
            before = bench.store.calls.count("claim")
            await turns()  # before any time passes: a claim would be released and made again without end
            assert bench.store.calls.count("claim") == before
            await pause(1.5)
            assert bench.store.calls.count("claim") == before
            assert bench.node.offer() is None
            lease.until = float("inf")
            await bench.until(lambda: bool(bench.ended))
            assert (await bench.job(id)).status is Status.COMPLETED

    run_virtual(play())


def test_a_cancelled_stop_loses_no_claim() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1)
        await bench.node.start()
        await turns()
        gate = bench.store.hold("claim", "after")
        (id,) = await bench.enqueue("noop")
        await turns()
        waiting = bench.loop.create_task(dispatcher_of(bench).stop())
        await turns()
        waiting.cancel()
        await turns()
        gate.set_result(None)
        await turns()
        await bench.node.stop()
        assert (await bench.job(id)).status is Status.PENDING

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
