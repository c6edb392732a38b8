"""Direct dispatch: the node offers to start what is being inserted."""

from __future__ import annotations

from ferryman.domain.claim import Batch
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.dispatching import dispatcher_of, new_jobs, noop, second
from tests.engine.world import Bench, turns


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
