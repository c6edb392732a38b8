"""What operators tell a node, and what it says of how it is."""

from __future__ import annotations

import asyncio

from ferryman.domain.nodes import RUNNING_MOST, Condition, NodeWish
from ferryman.domain.state import Status
from ferryman.engine.node import Node
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, pause, turns

BEAT = 2.0


async def noop() -> None:
    pass


async def for_ever() -> None:
    await asyncio.Event().wait()


async def wish(bench: Bench, wish: NodeWish) -> None:
    """Say it, and let the node hear it."""
    assert bench.node.id is not None
    assert await bench.store.command(bench.node.id, wish, bench.clock.now())
    await pause(BEAT)
    await turns()


async def condition(bench: Bench) -> Condition:
    (node,) = await bench.store.nodes(bench.clock.now())
    assert node.condition is not None
    return node.condition


def test_a_node_is_quiet_and_claims_again_when_it_is_told_to() -> None:
    async def play() -> None:
        async with Bench(noop, beat=BEAT) as bench:
            await wish(bench, NodeWish.QUIET)
            assert (await condition(bench)).quiet, "it says so at once"
            [id] = await bench.enqueue("noop")
            await pause(60.0)
            assert (await bench.job(id)).status is Status.PENDING
            await wish(bench, NodeWish.RESUME)
            await bench.until_ended(1)
            assert bench.node.ready
            assert not (await condition(bench)).quiet

    run_virtual(play())


def test_a_wish_is_done_once_and_the_same_one_said_anew_once_more() -> None:
    async def play() -> None:
        async with Bench(noop, beat=BEAT) as bench:
            await wish(bench, NodeWish.RESUME)
            bench.node.quiet()  # by a signal
            await pause(5 * BEAT)
            assert not bench.node.ready
            await wish(bench, NodeWish.RESUME)
            assert bench.node.ready

    run_virtual(play())


def test_whoever_has_started_a_node_is_told_that_it_is_to_stop() -> None:
    async def play() -> None:
        bench = Bench(for_ever, beat=BEAT, stop_deadline=5.0)
        asked: list[float] = []
        bench.node = Node(bench.world, bench.options, bench.wakeup, stop_wished=lambda: asked.append(bench.loop.time()))
        async with bench:
            await wish(bench, NodeWish.STOP)
            await pause(5 * BEAT)
            assert len(asked) == 1
            assert bench.node.ready, "that is not for the node to do"

    run_virtual(play())


def test_a_node_that_stops_is_quiet_and_does_not_resume() -> None:
    async def play() -> None:
        bench = Bench(for_ever, beat=BEAT, stop_deadline=5 * BEAT)
        await bench.node.start()
        await bench.enqueue("for_ever")
        await turns()
        stopping = bench.loop.create_task(bench.node.stop())
        await wish(bench, NodeWish.RESUME)
        told = await condition(bench)
        assert (told.quiet, told.busy) == (True, 1), "it goes on to say how it is"
        [id] = await bench.enqueue("for_ever")
        await stopping
        assert (await bench.job(id)).claim == 0
        bench.node.resume()
        assert not bench.node.ready

    run_virtual(play())


def test_a_node_that_was_lost_hears_nothing_of_the_wishes_for_its_former_life_again() -> None:
    async def play() -> None:
        async with Bench(noop, beat=BEAT) as bench:
            before = bench.node.id
            await wish(bench, NodeWish.QUIET)
            assert bench.node._life is not None
            bench.store._tables.nodes[bench.node._life.number].live = False
            await bench.store.rescue(bench.clock.now(), 10.0)
            await pause(3 * BEAT)
            assert bench.node.id != before
            assert not bench.node.ready, "it is still quiet"
            await wish(bench, NodeWish.RESUME)
            assert bench.node.ready

    run_virtual(play())


def test_a_node_says_what_it_runs() -> None:
    async def play() -> None:
        async with Bench(for_ever, workers=RUNNING_MOST + 1, capacity=RUNNING_MOST, beat=BEAT) as bench:
            await turns()
            first = bench.clock.now()
            assert await condition(bench) == Condition(first, None, quiet=False, busy=0)
            ids = await bench.enqueue("for_ever", count=3)
            await turns()
            started = bench.clock.now()
            await pause(BEAT)
            await turns()
            told = await condition(bench)
            assert (told.at, told.busy) == (bench.clock.now(), 3)
            assert {(each.id, each.claim, each.started_at) for each in told.running} == {(id, 1, started) for id in ids}
            assert {each.worker_id.rsplit("/", 1)[0] for each in told.running} == {bench.node.id}
            await bench.enqueue("for_ever", count=RUNNING_MOST - 2)
            await pause(2 * BEAT)
            told = await condition(bench)
            assert (told.busy, len(told.running)) == (RUNNING_MOST + 1, RUNNING_MOST)

    run_virtual(play())


def test_a_node_before_its_start_may_be_told_all_the_same() -> None:
    async def play() -> None:
        bench = Bench(noop, beat=BEAT)
        bench.node.quiet()
        bench.node.resume()
        async with bench:
            await bench.enqueue("noop")
            await bench.until_ended(1)

    run_virtual(play())
