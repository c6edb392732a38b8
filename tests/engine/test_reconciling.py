"""The dispatcher's books: a claim whose answer was lost is found, and no other is given back."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import StoreBusy
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.dispatching import a_claim, dispatcher_of, life_of, new_jobs, noop, quick, second
from tests.engine.world import Bench, pause, turns


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
            await bench.store.insert([lost], bench.clock.now(), claim=a_claim(bench, number, "second"))
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
