"""The completer: batches by themselves, never gives up while the node lives, knows its own writes again."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ferryman.domain.errors import IllegalTransition, StoreBusy, StoreFull
from ferryman.domain.events import Event
from ferryman.domain.outcome import Finish, What
from ferryman.domain.state import Status
from ferryman.engine.signals import Snooze
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, claimed_job, pause, turns


async def noop() -> None:
    pass


def test_outcomes_pile_up_while_a_commit_is_in_flight() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:
            gate = bench.store.hold("finish")
            await bench.enqueue("noop")
            await turns()
            await bench.enqueue("noop", count=30)
            await turns(200)
            assert [len(group) for group in bench.store.groups] == [1]
            assert bench.node._life is not None
            assert bench.node._life.completer.backlog > 1
            gate.set_result(None)
            await bench.until_ended(31)
            assert sum(len(group) for group in bench.store.groups) == 31
            assert len(bench.store.groups[1]) > 1

    run_virtual(play())


@pytest.mark.parametrize("error", [StoreBusy("busy"), StoreFull("full")])
def test_a_store_that_fails_is_asked_again_while_handlers_go_on(error: Exception) -> None:
    async def play() -> None:
        ran: list[float] = []

        async def job() -> None:
            ran.append(asyncio.get_running_loop().time())

        async with Bench(job, workers=1) as bench:
            bench.store.fail("finish", error, times=20)
            (first,) = await bench.enqueue("job")
            await turns()
            await bench.enqueue("job")
            await bench.until_ended(2)
            assert ran == [0.0, 0.0], "the second one did not wait for the store"
            assert bench.loop.time() > 20, "it waits longer and longer"
            assert {job.status for job in await bench.jobs([first])} == {Status.COMPLETED}
            assert not bench.fenced

    run_virtual(play())


def test_a_finish_whose_reply_was_lost_is_recognised_as_its_own() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:
            bench.store.fail("finish", StoreBusy("the reply is lost"), where="after")
            (id,) = await bench.enqueue("noop")
            await bench.until_ended(1)
            assert (await bench.job(id)).status is Status.COMPLETED
            assert bench.store.calls.count("finish") == 2
            assert not bench.fenced

    run_virtual(play())


def test_a_write_for_a_claim_that_is_lost_is_fenced_and_counted() -> None:
    async def play() -> None:
        async def job() -> None:
            await pause(1.0)

        async with Bench(job, workers=1) as bench:
            (id,) = await bench.enqueue("job")
            await turns()
            life = bench.node._life
            assert life is not None
            (batch,) = await bench.store.open_batches(life.number)
            await bench.store.release(life.number, batch.id, bench.clock.now())
            await bench.until(lambda: bool(bench.fenced))
            assert (bench.fenced[0].job.id, bench.fenced[0].outcome.what) == (id, What.DONE)
            await bench.until_ended(1)
            assert (await bench.job(id)).claim == 2

    run_virtual(play())


def test_an_outcome_that_the_store_cannot_take_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with Bench(noop, workers=3) as bench:
            finish = bench.store.finish
            ids = await bench.enqueue("noop", count=3)

            async def picky(node: int, finishes: list[Finish], now: int) -> object:
                if any(each.id == ids[1] and each.what is What.DONE for each in finishes):
                    raise UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")
                return await finish(node, finishes, now)

            bench.store.finish = picky  # type: ignore[method-assign,assignment]
            await bench.until_ended(3)
            jobs = await bench.jobs(ids)
            assert [job.status for job in jobs] == [Status.COMPLETED, Status.FAILED, Status.COMPLETED]
            assert jobs[1].error is not None
            assert jobs[1].error.code == "FM209"
            assert jobs[1].worker_id is not None

    run_virtual(play())
    assert any("refused the outcome" in record.getMessage() for record in caplog.records)


def test_an_outcome_that_the_store_never_takes_stays_claimed_and_harms_nobody() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1)
        async with bench:
            finish = bench.store.finish
            (bad,) = await bench.enqueue("noop")

            async def picky(node: int, finishes: list[Finish], now: int) -> object:
                if any(each.id == bad for each in finishes):
                    raise IllegalTransition("never")
                return await finish(node, finishes, now)

            bench.store.finish = picky  # type: ignore[method-assign,assignment]
            await turns()
            (good,) = await bench.enqueue("noop")
            await bench.until_ended(1)
            assert [(await bench.job(id)).status for id in (bad, good)] == [Status.PROCESSING, Status.COMPLETED]
        assert bench.node.unwritten == 1
        assert "retire" not in bench.store.calls, "a node with claims is found dead, and they are rescued"

    run_virtual(play())


def test_a_job_that_a_person_cancelled_meanwhile_is_told_as_cancelled() -> None:
    async def play() -> None:
        async def job() -> None:
            await pause(0.1)
            raise Snooze(5)

        async with Bench(job, workers=1) as bench:
            (id,) = await bench.enqueue("job")
            await turns()
            await bench.store.cancel(id, bench.clock.now())  # nobody wakes the node
            await bench.until_ended(1)
            assert bench.loop.time() < 0.5
            told = bench.ended[0]
            assert (told.outcome.what, told.finish.what, told.finish.status, told.finish.run_at) == (
                What.CANCELLED,
                What.CANCELLED,
                Status.CANCELLED,
                None,
            )
            assert (await bench.job(id)).status is Status.CANCELLED

    run_virtual(play())


def test_a_listener_that_fails_undoes_nothing() -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:

            def broken(event: Event) -> None:
                raise RuntimeError("listener")

            bench.world.events.listen(broken)
            await bench.enqueue("noop", count=3)
            await bench.until_ended(3)
            assert len(bench.ended) == 3

    run_virtual(play())


def test_what_cannot_be_written_before_the_end_is_given_up_and_said() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1, lease=10.0)
        async with bench:
            bench.store.fail("finish", StoreBusy("for ever"), times=10_000)
            (id,) = await bench.enqueue("noop")
            await turns()
        assert bench.node.unwritten == 1
        assert bench.loop.time() == pytest.approx(10.0), "the patience of one lease"
        assert (await bench.job(id)).status is Status.PROCESSING
        assert "retire" not in bench.store.calls

    run_virtual(play())


def test_next_runs_wake_whoever_should_look() -> None:
    async def play() -> None:
        async def job() -> None:
            raise ValueError

        async with Bench(job, workers=1) as bench:
            due: list[int] = []
            bench.wakeup._scheduled = due.append
            await bench.enqueue("job")
            await bench.until_ended(1)
            assert due == [bench.ended[0].finish.run_at]
            looked: list[int] = []
            bench.wakeup._work = lambda: looked.append(1)
            life = bench.node._life
            assert life is not None
            life.completer.release([claimed_job()])
            await bench.until(lambda: bool(bench.fenced))
            assert not looked, "a fenced write made nothing ready"

    run_virtual(play())


def test_a_release_whose_reply_was_lost_is_known_again() -> None:
    async def play() -> None:
        bench = Bench(noop, workers=1)
        await bench.node.start()
        gate = bench.store.hold("claim", "after")
        await bench.enqueue("noop")
        await turns()
        stopping = bench.loop.create_task(bench.node.stop())
        await turns()
        bench.store.fail("finish", StoreBusy("busy"), "after")
        gate.set_result(None)  # the claim comes back to a node that stops
        await stopping
        released = [run for run in bench.ended if run.finish.what is What.RELEASED]
        assert released
        assert not bench.fenced

    run_virtual(play())


def test_a_warning_is_not_said_at_each_of_many_failures(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with Bench(noop, workers=1) as bench:
            bench.store.fail("finish", StoreBusy("busy"), times=40)
            await bench.enqueue("noop")
            await bench.until_ended(1)

    with caplog.at_level(logging.WARNING, "ferryman.engine"):
        run_virtual(play())
    said = [record for record in caplog.records if record.__dict__.get("event") == "finish_failed"]
    assert len(said) == 6, "at the 1st, 2nd, 4th, 8th, 16th and 32nd"
