"""The fence: of all who would end a run, exactly one does, and the others change nothing."""

from __future__ import annotations

import pytest

from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish, What
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench

WHATS = [What.DONE, What.FAILED, What.SNOOZED, What.CANCELLED, What.RELEASED, What.INTERRUPTED]


class Fencing:
    """The first outcome of a run wins; a write that comes late is reported, and has no effect at all."""

    @pytest.mark.parametrize("what", WHATS, ids=str)
    async def test_a_finish_after_a_rescue_changes_nothing(self, bench: Bench, what: What) -> None:
        job = await bench.start()
        late = bench.ended(job, what, delay=1.0)
        await bench.bury(await bench.home())
        await self._fenced(bench, late)

    @pytest.mark.parametrize("what", WHATS, ids=str)
    async def test_a_finish_of_an_old_claim_does_not_touch_the_new_one(self, bench: Bench, what: What) -> None:
        job = await bench.start()
        late = bench.ended(job, what, delay=1.0)
        await bench.bury(await bench.home())
        node = await bench.node()
        (again,) = (await bench.claim(node)).jobs
        assert again.number == job.number + 1
        await self._fenced(bench, late)
        report = await bench.write(bench.ended(again, What.DONE), node=node)
        assert report.fenced == frozenset()
        assert await bench.status(job.id) is Status.COMPLETED

    async def test_a_finish_after_a_forced_cancel_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.cancel(job.id, bench.now)
        bench.clock.advance(60)
        assert await bench.store.force_cancel(bench.now, bench.now) == 1
        await self._fenced(bench, bench.ended(job, What.DONE))
        assert await bench.status(job.id) is Status.CANCELLED

    async def test_a_finish_after_a_release_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.store.release(await bench.home(), job.batch, bench.now)
        await self._fenced(bench, bench.ended(job, What.DONE))

    async def test_a_finish_of_a_job_that_is_gone_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        late = bench.ended(job, What.RELEASED)
        await bench.finish(job)
        bench.clock.advance(1_000)
        assert await bench.store.prune(bench.now, 100) == 1
        report = await bench.write(late)
        assert report.fenced == frozenset({(job.id, job.number)})
        assert await bench.store.get(job.id, bench.now) is None
        assert (await bench.claim()).jobs == []

    async def test_a_late_finish_changes_nothing_while_its_batch_is_still_open(self, bench: Bench) -> None:
        """A neighbour may run for longer than retention keeps the ended job; a store may then keep it longer."""
        for _ in range(2):
            await bench.add()
        ended, running = (await bench.claim()).jobs
        late = bench.ended(ended, What.RELEASED)
        await bench.finish(ended)
        bench.clock.advance(1_000)
        await bench.store.prune(bench.now, 100)
        assert (await bench.write(late)).fenced == frozenset({(ended.id, ended.number)})
        assert await bench.store.get(ended.id, bench.now) is None
        assert (await bench.claim()).jobs == []
        await bench.finish(running)

    async def test_a_finish_by_another_node_changes_nothing(self, bench: Bench) -> None:
        job = await bench.start()
        other = await bench.node()
        report = await bench.write(bench.ended(job, What.DONE), node=other)
        assert report.fenced == frozenset({(job.id, job.number)})
        assert await bench.status(job.id) is Status.PROCESSING

    async def test_a_finish_whose_reply_was_lost_is_recognised(self, bench: Bench) -> None:
        job = await bench.start()
        finish = bench.ended(job, What.DONE, result="1")
        assert (await bench.write(finish)).fenced == frozenset()
        before = await self._picture(bench, job.id)
        assert (await bench.write(finish)).fenced == frozenset()
        assert await self._picture(bench, job.id) == before

    async def test_a_recognised_finish_does_not_move_the_job_again(self, bench: Bench) -> None:
        job = await bench.start()
        finish = bench.ended(job, What.RELEASED, token=7)
        await bench.write(finish)
        again = await bench.claim_one()
        assert (await bench.write(finish)).fenced == frozenset()
        assert await bench.status(job.id) is Status.PROCESSING
        await bench.finish(again)
        assert (await bench.write(finish)).fenced == frozenset()
        assert await bench.status(job.id) is Status.COMPLETED

    async def test_the_same_run_ended_by_two_workers_ends_once(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.finish(job, What.DONE, result="1")
        await self._fenced(bench, bench.ended(job, What.DONE, result="2"))
        assert (await bench.read(job.id)).result == "1"

    async def test_an_outcome_that_nobody_ran_is_never_taken_for_ones_own(self, bench: Bench) -> None:
        job = await bench.start()
        await bench.bury(await bench.home())
        await self._fenced(bench, bench.ended(job, What.RELEASED, token=0))

    async def test_one_fenced_finish_does_not_harm_its_neighbours(self, bench: Bench) -> None:
        first, second = await bench.start(), await bench.start()
        await bench.store.release(await bench.home(), first.batch, bench.now)
        report = await bench.write(bench.ended(first, What.DONE), bench.ended(second, What.DONE, result="2"))
        assert report.fenced == frozenset({(first.id, first.number)})
        assert (await bench.read(second.id)).result == "2"
        assert await bench.status(first.id) is Status.PENDING

    async def test_one_run_twice_in_one_finish_ends_once(self, bench: Bench) -> None:
        job = await bench.start()
        one, two = bench.ended(job, What.DONE, result="1"), bench.ended(job, What.DONE, result="2")
        assert (await bench.write(one, one, two)).fenced == frozenset({(job.id, job.number)})
        assert (await bench.read(job.id)).result == "1"
        assert await bench.totals("completed") == [1]

    async def test_the_claim_number_grows_with_every_claim_and_never_goes_down(self, bench: Bench) -> None:
        job: ClaimedJob = await bench.start()
        for number, what in enumerate([What.RELEASED, What.INTERRUPTED, What.RELEASED], start=1):
            assert job.number == number
            await bench.finish(job, what)
            job = await bench.claim_one()
        await bench.finish(job, What.FAILED, retryable=False)
        assert (await bench.read(job.id)).claim == 4
        await bench.store.retry(job.id, bench.now)
        assert (await bench.read(job.id)).claim == 5
        assert (await bench.claim_one()).number == 6

    async def _fenced(self, bench: Bench, late: Finish) -> None:
        before = await self._picture(bench, late.id)
        report = await bench.write(late)
        assert report.fenced == frozenset({(late.id, late.number)})
        assert (report.readied, report.scheduled, report.cancelled) == (False, None, frozenset())
        assert await self._picture(bench, late.id) == before

    async def _picture(self, bench: Bench, id: str) -> object:
        return await bench.read(id), list(await bench.store.attempts(id)), await bench.counts()
