"""Keys whose jobs run in sequence: in their order, also when one of them fails."""

from __future__ import annotations

import pytest

from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import CancelResult
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.keys import SEQUENCE, at, keyed, standing

PASSING = GateRule(strict=True, on_failure=OnFailure.PASS)


class Sequencing:
    """One at a time, in the order of their enqueues; a failed one holds the others up, or does not."""

    async def test_jobs_of_a_sequence_run_one_after_the_other(self, bench: Bench) -> None:
        ids = await keyed(bench, 5, SEQUENCE)
        ran: list[str] = []
        while jobs := (await bench.claim()).jobs:
            (job,) = jobs
            ran.append(job.id)
            await bench.finish(job)
        assert ran == ids

    @pytest.mark.parametrize("what", [What.FAILED, What.SNOOZED], ids=str)
    async def test_a_job_keeps_its_slot_until_it_has_ended(self, bench: Bench, what: What) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        await bench.finish(await bench.claim_one(), what, delay=5.0)
        assert await standing(bench, ids) == "sw"
        bench.clock.advance(5)
        assert (await bench.store.promote(bench.now, 10)).count == 1
        assert await standing(bench, ids) == "pw"
        await bench.finish(await bench.claim_one())
        assert await standing(bench, ids) == "cp"

    async def test_a_cancel_between_two_attempts_lets_the_next_one_in(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        await bench.finish(await bench.claim_one(), What.FAILED, delay=5.0)
        assert await bench.store.cancel(ids[0], bench.now) == CancelResult(Status.SCHEDULED, readied=True)
        assert await standing(bench, ids) == "xp"

    async def test_a_run_that_is_cancelled_instead_of_going_on_frees_the_slot(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        job = await bench.claim_one()
        await bench.store.cancel(job.id, bench.now)
        report = await bench.finish(job, What.FAILED, delay=5.0)
        assert report.cancelled == frozenset({job.id})
        assert await standing(bench, ids) == "xp"

    async def test_a_failed_job_holds_its_sequence_up(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        report = await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        assert not report.readied
        ids += await keyed(bench, 1, SEQUENCE)
        assert await standing(bench, ids) == "fww"
        assert (await at(bench)).held_by == (ids[0],)
        assert (await bench.store.admit(bench.now, 10)).count == 0

    async def test_a_retry_goes_first_and_frees_the_sequence(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        await bench.store.retry(ids[0], bench.now)
        assert await standing(bench, ids) == "pw"
        assert (await at(bench)).held_by == ()
        assert await bench.store.pass_key("k", bench.now) == []
        job = await bench.claim_one()
        assert job.id == ids[0]
        await bench.finish(job)
        assert await standing(bench, ids) == "cp"

    async def test_a_person_lets_a_sequence_go_on(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        assert list(await bench.store.pass_key("k", bench.now)) == [ids[0]]
        assert list(await bench.store.pass_key("k", bench.now)) == []
        assert await standing(bench, ids) == "fp"
        await bench.store.retry(ids[0], bench.now)
        assert await standing(bench, ids) == "wp"

    async def test_nothing_passes_where_nobody_is(self, bench: Bench) -> None:
        assert list(await bench.store.pass_key("k", bench.now)) == []
        await keyed(bench, 1, SEQUENCE)
        assert list(await bench.store.pass_key("k", bench.now)) == []
        assert await bench.store.key("l") is None

    async def test_a_sequence_that_passes_goes_on_by_itself(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, PASSING)
        report = await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        assert report.readied
        assert await standing(bench, ids) == "fp"

    async def test_a_cancelled_job_holds_nobody_up(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        await bench.finish(await bench.claim_one(), What.CANCELLED)
        assert await standing(bench, ids) == "xp"

    async def test_a_failed_job_holds_on_while_it_is_kept(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, SEQUENCE)
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        bench.clock.advance(199)
        await bench.store.prune(bench.now, 100)
        assert await bench.status(ids[1]) is Status.WAITING
        bench.clock.advance(1)
        assert await bench.store.prune(bench.now, 100) == 1
        await bench.store.admit(bench.now, 100)
        assert await bench.status(ids[1]) is Status.PENDING
        assert (await at(bench)).held_by == ()
