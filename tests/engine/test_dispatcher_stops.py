"""The dispatcher at the stop of its node: no claim is lost, whatever is under way and whatever fails."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.domain.state import Status
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.dispatching import a_claim, dispatcher_of, life_of, new_jobs, noop
from tests.engine.world import Bench, pause, turns


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
        await bench.store.insert([job], bench.clock.now(), claim=a_claim(bench, number, "noop"))
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
