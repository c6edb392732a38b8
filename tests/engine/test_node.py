"""The node as a whole: start, stop with jobs everywhere, loss and a new life."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.errors import StoreBusy
from ferryman.domain.events import JobsRescued
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.engine.node import Node
from ferryman.store.protocol import NodeInfo
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, pause, turns


async def noop() -> None:
    pass


async def second() -> None:
    await pause(1.0)


async def for_ever() -> None:
    await asyncio.Event().wait()


def kill(bench: Bench) -> None:
    """The node is found dead, as if by another one."""
    assert bench.node._life is not None
    bench.store._tables.nodes[bench.node._life.number].live = False


async def rescued_by_another(bench: Bench) -> None:
    kill(bench)
    await bench.store.rescue(bench.clock.now(), 10.0)


# -- start and stop --------------------------------------------------------------------------------


def test_a_node_says_who_it_is_and_what_it_does() -> None:
    async def play() -> None:
        async with Bench(second, workers=3, capacity=5, queues=(("a", None), ("b", 2))) as bench:
            node = bench.node
            info = bench.store._tables.nodes[node._life.number].info  # type: ignore[union-attr]
            assert (info.id, info.types, info.declared, info.queues, info.workers) == (
                node.id,
                frozenset({"second"}),
                bench.world.registry.declarations,
                frozenset({"a", "b"}),
                3,
            )
            await bench.enqueue("second", queue="a", count=2)
            await turns()
            assert (node.workers, node.in_progress, node.channel_length, node.channel_capacity) == (3, 2, 0, 5)
            assert node.ready
        assert not node.ready

    run_virtual(play())


def test_before_it_has_started_a_node_has_nothing_and_offers_nothing() -> None:
    async def play() -> None:
        node: Node = Bench(second, workers=3, capacity=5).node
        assert (node.id, node.ready, node.channel_length, node.in_progress) == (None, False, 0, 0)
        assert (node.workers, node.channel_capacity, node.stuck_threads, node.unwritten) == (3, 5, 0, 0)
        assert node.offer() is None
        await node.stop()
        await node.start()
        assert node.id is None, "what was stopped does not start"

    run_virtual(play())


def test_a_stop_finishes_what_runs_releases_what_is_buffered_and_leaves_what_is_pending() -> None:
    async def play() -> None:
        bench = Bench(second, workers=2, capacity=3, stop_deadline=5.0)
        await bench.node.start()
        await turns()
        life = bench.node._life
        assert life is not None
        life.dispatcher._prefetch._expected = 1.5
        ids = await bench.enqueue("second", count=9)
        await turns()
        assert (bench.node.in_progress, bench.node.channel_length) == (2, 3)
        await pause(0.5)
        await bench.node.stop()
        assert bench.loop.time() == pytest.approx(1.0)
        jobs = await bench.jobs(ids)
        assert [job.status for job in jobs] == [Status.COMPLETED] * 2 + [Status.PENDING] * 7
        assert [job.attempt for job in jobs] == [1] * 2 + [0] * 7
        assert await bench.store.open_batches(life.number) == []
        again = Bench(second, workers=2)
        again.store._tables, again.node._world.store._tables = bench.store._tables, bench.store._tables  # type: ignore[attr-defined]
        async with again:
            await again.until_ended(7)
        jobs = await bench.jobs(ids)
        assert {(job.status, job.attempt) for job in jobs} == {(Status.COMPLETED, 1)}, "each was started once"

    run_virtual(play())


def test_what_does_not_finish_within_the_deadline_is_interrupted() -> None:
    async def play() -> None:
        bench = Bench(for_ever, workers=3, stop_deadline=5.0)
        await bench.node.start()
        (first,) = await bench.enqueue("for_ever")
        (once,) = await bench.enqueue("for_ever", max_attempts=1)
        await turns()
        await bench.node.stop()
        assert bench.loop.time() == pytest.approx(5.0)
        job, never_again = await bench.jobs([first, once])
        assert (job.status, job.attempt) == (Status.PENDING, 0), "an interruption spends no attempt"
        assert (never_again.status, never_again.attempt) == (Status.FAILED, 1)
        assert never_again.error is not None
        assert never_again.error.code == "FM506"
        assert bench.node.unwritten == 0

    run_virtual(play())


def test_a_coroutine_that_swallows_the_cut_is_given_up_and_written_as_interrupted() -> None:
    async def play() -> None:
        async def stubborn() -> None:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if released.is_set():
                        return

        released = asyncio.Event()
        bench = Bench(stubborn, workers=1, stop_deadline=1.0, last_grace=2.0)
        await bench.node.start()
        (id,) = await bench.enqueue("stubborn")
        await turns()
        (running,) = bench.node._life.pool.running()  # type: ignore[union-attr]
        await bench.node.stop()
        assert bench.loop.time() == pytest.approx(3.0)
        assert (await bench.job(id)).status is Status.PENDING
        assert bench.ended[0].outcome.what is What.INTERRUPTED
        released.set()
        running.slot.task.cancel()
        await asyncio.wait([running.slot.task])

    run_virtual(play())


def test_claims_of_a_dead_node_come_back_before_the_first_claim() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1)
        info = NodeInfo("dead", "host", 1, "0", frozenset({"noop"}), None, 1)
        number = await bench.store.register(info, bench.clock.now())
        (id,) = await bench.enqueue("noop")
        request = ClaimRequest(number, 5, frozenset({"noop"}), None, 1, 1, alone=True)
        await bench.store.claim(request, bench.clock.now())
        bench.store._tables.nodes[number].live = False
        bench.store.calls.clear()
        async with bench:
            await bench.until_ended(1)
            assert bench.loop.time() == 0.0
            assert any(isinstance(event, JobsRescued) for event in bench.events)
            assert (await bench.job(id)).attempt == 2
            calls = bench.store.calls
            assert calls.index("rescue") < calls.index("register") < calls.index("claim")

    run_virtual(play())


def test_a_node_that_cannot_register_does_not_start() -> None:
    async def play() -> None:
        bench = Bench(noop)
        bench.store.fail("register", StoreBusy("busy"))
        with pytest.raises(StoreBusy):
            await bench.node.start()
        assert not bench.node.ready
        await bench.node.stop()

    run_virtual(play())


def test_a_stop_during_the_start_leaves_nothing_behind() -> None:
    async def play() -> None:
        bench = Bench(noop)
        gate = bench.store.hold("register")
        starting = bench.loop.create_task(bench.node.start())
        await turns()
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        assert not stopping.done()
        gate.set_result(None)
        await stopping
        await starting
        assert "retire" in bench.store.calls
        assert not bench.node.ready

    run_virtual(play())


# -- loss ------------------------------------------------------------------------------------------


def test_a_stop_takes_nothing_new_even_while_a_chore_of_the_sweeper_keeps_it_waiting() -> None:
    async def play() -> None:
        bench = Bench(second, workers=2)
        await bench.node.start()
        gate = bench.store.hold("rescue")
        await pause(1.0)  # by then the sweeper's rescue is under way
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        assert not stopping.done()
        asked = len(bench.store.requests)
        await bench.enqueue("second", count=3)
        await turns()
        assert len(bench.store.requests) == asked
        assert bench.node.offer() is None
        gate.set_result(None)
        await stopping
        assert len(bench.store.requests) == asked

    run_virtual(play())


def test_a_lost_node_stops_its_handlers_and_begins_anew_under_a_new_id() -> None:
    async def play() -> None:
        ended: list[str] = []

        async def job() -> None:
            try:
                await pause(30.0)
                ended.append("by itself")
            except asyncio.CancelledError:
                ended.append("stopped")
                raise

        async with Bench(job, workers=1, beat=2.0, lease=10.0) as bench:
            old = bench.node.id
            (id,) = await bench.enqueue("job")
            await turns()
            await rescued_by_another(bench)
            assert (await bench.job(id)).status is Status.PENDING
            await bench.until(lambda: bool(bench.fenced))
            assert bench.loop.time() == 2.0, "the next beat finds it out"
            assert ended == ["stopped"]
            assert (bench.fenced[0].job.id, bench.fenced[0].outcome.what) == (id, What.INTERRUPTED)
            await bench.until_ended(1)
            assert ended == ["stopped", "by itself"]
            new = bench.node.id
            assert new != old
            done = await bench.job(id)
            assert (done.status, done.attempt, done.claim) == (Status.COMPLETED, 2, 2)
            assert done.worker_id is not None
            assert done.worker_id.startswith(f"{new}/")
            assert bench.node.ready

    run_virtual(play())


def test_a_node_that_cannot_beat_gives_its_jobs_back_itself() -> None:
    async def play() -> None:
        async with Bench(for_ever, workers=2, beat=2.0, lease=10.0) as bench:
            old = bench.node.id
            (id,) = await bench.enqueue("for_ever")
            bench.store.beats.extend([StoreBusy("busy")] * 4)
            await bench.until_ended(1)
            assert 8.0 <= bench.loop.time() < 10.0, "before anybody else may start them"
            assert bench.ended[0].outcome.what is What.INTERRUPTED
            await turns()
            assert bench.node.id != old
            job = await bench.job(id)
            assert (job.status, job.attempt, job.claim) == (Status.PROCESSING, 1, 2), (
                "it runs again, no attempt is lost"
            )

    run_virtual(play())


def test_a_node_that_is_lost_again_and_again_begins_again_and_again() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1, beat=2.0, lease=10.0) as bench:
            seen = set()
            for count in range(1, 5):
                seen.add(bench.node.id)
                kill(bench)
                bench.store.fail("register", StoreBusy("busy"), times=count)
                await pause(20.0)
                await bench.enqueue("noop")
                await bench.until_ended(count)
            assert len(seen) == 4

    run_virtual(play())


def test_a_register_whose_reply_was_lost_is_said_again_and_leaves_no_second_node() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1, beat=2.0, lease=10.0) as bench:
            kill(bench)
            bench.store.fail("register", StoreBusy("busy"), "after", times=3)
            await pause(5.0)  # less than the lease, after which nobody would see the others any more
            assert [node.info.id for node in bench.store._tables.nodes.values()] == [bench.node.id]

    run_virtual(play())


def test_a_register_whose_reply_was_lost_for_longer_than_the_lease_begins_under_another_id() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1, beat=2.0, lease=10.0) as bench:
            kill(bench)
            bench.store.fail("register", StoreBusy("busy"), "after", times=1)
            gate = bench.store.hold("register")
            await pause(2.5)
            (unheard,) = [node for node in bench.store._tables.nodes.values() if node.live]
            unheard.live = False  # nobody beat it, so another node has found it dead
            gate.set_result(None)
            (id,) = await bench.enqueue("noop")
            await bench.until_ended(1)
            assert (await bench.job(id)).node == bench.node.id != unheard.info.id

    run_virtual(play())


def test_a_node_lost_while_it_stops_just_stops() -> None:
    async def play() -> None:
        bench = Bench(second, workers=1, beat=0.3, lease=2.0)
        await bench.node.start()
        old = bench.node.id
        (id,) = await bench.enqueue("second")
        await turns()
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        await rescued_by_another(bench)
        await stopping
        assert bench.loop.time() == pytest.approx(0.3), "its handlers are cut off at once: others may run its jobs"
        assert bench.node.id == old
        assert bench.fenced[0].job.id == id
        assert (await bench.job(id)).status is Status.PENDING

    run_virtual(play())


def test_a_stop_while_the_node_begins_anew_ends_it() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1, beat=2.0, lease=10.0)
        await bench.node.start()
        await turns()
        bench.store.fail("register", StoreBusy("busy"), times=1000)
        kill(bench)
        await pause(5.0)
        assert not bench.node.ready
        before = bench.loop.time()
        await bench.node.stop()
        assert bench.loop.time() == before, "the pause between two tries is cut short"

    run_virtual(play())


def test_a_stop_while_the_node_registers_anew_leaves_nothing_behind() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1, beat=2.0, lease=10.0)
        await bench.node.start()
        await turns()
        gate = bench.store.hold("register")
        kill(bench)
        await pause(5.0)
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        assert not stopping.done()
        gate.set_result(None)
        await stopping
        assert not [node for node in bench.store._tables.nodes.values() if node.live]

    run_virtual(play())


def test_an_offer_of_a_lost_life_is_settled_with_that_life() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1, beat=2.0, lease=10.0) as bench:
            await turns()
            request = bench.node.offer()
            assert request is not None
            old = bench.node.id
            kill(bench)
            await pause(2.5)
            assert bench.node.id == old, "that life does not end before"
            bench.node.settle(request, None)  # what NodeNotLive tells the client
            await turns()
            await pause(1.0)
            assert bench.node.ready
            await bench.enqueue("noop")
            await bench.until_ended(1)

    run_virtual(play())


def test_a_quiet_node_claims_no_more_and_lets_what_runs_end() -> None:
    async def play() -> None:
        gate = asyncio.Event()

        async def waits() -> None:
            await gate.wait()

        bench = Bench(waits, workers=1)
        await bench.node.start()
        (first,) = await bench.enqueue("waits")
        await turns()
        before = bench.node.ready
        bench.node.quiet()
        assert (before, bench.node.ready) == (True, False)
        (second,) = await bench.enqueue("waits")
        gate.set()
        await pause(5.0)
        assert [job.status for job in await bench.jobs([first, second])] == [Status.COMPLETED, Status.PENDING]
        await bench.node.stop()

    run_virtual(play())


def test_a_quiet_node_that_is_lost_is_quiet_in_its_next_life() -> None:
    async def play() -> None:
        async def noop() -> None: ...

        bench = Bench(noop)
        await bench.node.start()
        bench.node.quiet()
        before = bench.node._life
        assert before is not None
        bench.store._tables.nodes[before.number].live = False
        await pause(10.0)
        assert bench.node._life is not before
        (id,) = await bench.enqueue("noop")
        await pause(5.0)
        assert (await bench.job(id)).status is Status.PENDING
        await bench.node.stop()

    run_virtual(play())
