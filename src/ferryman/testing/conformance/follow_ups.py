"""finish: jobs that a completion brings along exist iff it is written, and once."""

from __future__ import annotations

import pytest

from ferryman.domain.job import MICROS, Idempotency
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import Receipt, Verdict
from ferryman.testing.conformance.bench import Bench

HAVE_NONE = [What.FAILED, What.SNOOZED, What.CANCELLED, What.RELEASED, What.INTERRUPTED]


class FollowingUp:
    """Follow-ups are stored in the same step as the outcome that brings them, and not without it."""

    async def test_a_completion_brings_its_follow_ups_along(self, bench: Bench) -> None:
        job = await bench.start()
        one, two = bench.job("mail", payload='{"a":1}', tags=("t",)), bench.job("mail", queue="other", priority=1)
        report = await bench.finish(job, follow_ups=(one, two))
        assert (report.readied, report.scheduled, report.superseded) == (True, None, frozenset())
        assert [each.id for each in await bench.listed(types=frozenset({"mail"}))] == [one.id, two.id]
        read = await bench.read(one.id)
        assert (read.status, read.payload, read.tags, read.attempt) == (Status.PENDING, '{"a":1}', ("t",), 0)
        assert await bench.totals("created", "completed") == [3, 1]
        assert [each.id for each in (await bench.claim()).jobs] == [two.id, one.id]

    async def test_follow_ups_stand_in_the_order_in_which_they_were_enqueued(self, bench: Bench) -> None:
        job = await bench.start()
        waiting = await bench.add()
        follow_ups = tuple(bench.job() for _ in range(5))
        await bench.finish(job, follow_ups=follow_ups)
        assert [each.id for each in (await bench.claim()).jobs] == [waiting, *(each.id for each in follow_ups)]

    async def test_a_follow_up_may_be_for_later(self, bench: Bench) -> None:
        job = await bench.start()
        due = bench.now + 60 * MICROS
        late, later = bench.job(run_at=due), bench.job(run_at=due + MICROS)
        report = await bench.finish(job, follow_ups=(later, late))
        assert (report.readied, report.scheduled) == (False, due)
        assert await bench.status(late.id) is Status.SCHEDULED
        bench.clock.advance(61)
        await bench.store.promote(bench.now, 10)
        assert [each.id for each in (await bench.claim()).jobs] == [late.id, later.id]

    async def test_a_report_tells_what_is_due_first_of_all(self, bench: Bench) -> None:
        one, two = await bench.start(), await bench.start()
        soon = bench.now + 5 * MICROS
        report = await bench.write(
            bench.ended(one, What.FAILED, delay=1.0),
            bench.ended(two, What.DONE, follow_ups=(bench.job(run_at=soon), bench.job())),
        )
        assert (report.readied, report.scheduled) == (True, bench.now + MICROS)

    async def test_a_time_that_has_come_by_the_commit_is_no_schedule(self, bench: Bench) -> None:
        job = await bench.start()
        follow_up = bench.job(run_at=bench.now + MICROS)
        bench.clock.advance(2)
        report = await bench.finish(job, follow_ups=(follow_up,))
        assert (report.readied, report.scheduled) == (True, None)
        assert await bench.status(follow_up.id) is Status.PENDING

    @pytest.mark.parametrize("what", HAVE_NONE, ids=str)
    async def test_a_run_that_did_not_complete_leaves_none(self, bench: Bench, what: What) -> None:
        job = await bench.start()
        follow_up = bench.job("mail")
        await bench.finish(job, what, delay=1.0, follow_ups=(follow_up,))
        assert await bench.store.get(follow_up.id, bench.now) is None
        assert await bench.totals("created") == [1]

    async def test_a_fenced_completion_leaves_none(self, bench: Bench) -> None:
        job = await bench.start()
        follow_up = bench.job("mail")
        late = bench.ended(job, What.DONE, follow_ups=(follow_up,))
        await bench.bury(await bench.home())
        report = await bench.write(late)
        assert report.fenced == frozenset({(job.id, job.number)})
        assert (report.readied, report.superseded) == (False, frozenset())
        assert await bench.store.get(follow_up.id, bench.now) is None

    async def test_a_completion_told_twice_brings_them_once(self, bench: Bench) -> None:
        job = await bench.start()
        follow_up = bench.job()
        finish = bench.ended(job, What.DONE, follow_ups=(follow_up,))
        await bench.write(finish)
        claimed = await bench.claim_one()
        assert claimed.id == follow_up.id
        assert (await bench.write(finish)).fenced == frozenset()
        assert await bench.status(follow_up.id) is Status.PROCESSING
        assert await bench.totals("created") == [2]
        await bench.finish(claimed)

    async def test_one_completion_twice_in_a_call_brings_them_once(self, bench: Bench) -> None:
        job = await bench.start()
        one, two = bench.job(), bench.job()
        first = bench.ended(job, What.DONE, follow_ups=(one,))
        await bench.write(first, first, bench.ended(job, What.DONE, follow_ups=(two,)))
        assert await bench.status(one.id) is Status.PENDING
        assert await bench.store.get(two.id, bench.now) is None
        assert await bench.totals("created") == [2]

    async def test_a_follow_up_whose_id_is_there_already_is_that_job(self, bench: Bench) -> None:
        job = await bench.start()
        follow_up = bench.job()
        await bench.insert(follow_up)
        report = await bench.finish(job, follow_ups=(follow_up, bench.job("mail")))
        assert report.superseded == frozenset()
        assert await bench.totals("created") == [3]

    async def test_where_a_live_job_has_the_unique_key_it_stands(self, bench: Bench) -> None:
        holder = await bench.add("mail", unique_key="k")
        await bench.add()
        job = (await bench.claim(types=frozenset({"echo"}))).jobs[0]
        follow_up, other = bench.job("mail", unique_key="k"), bench.job("mail", unique_key="free")
        report = await bench.finish(job, follow_ups=(follow_up, other))
        assert report.superseded == frozenset({follow_up.id})
        assert await bench.store.get(follow_up.id, bench.now) is None
        assert await bench.status(job.id) is Status.COMPLETED
        assert (await bench.read(other.id)).unique_key == "free"
        assert await bench.insert(bench.job("mail", unique_key="k")) == [Receipt(holder, Verdict.KEY_TAKEN)]

    async def test_a_job_may_be_followed_under_its_own_unique_key(self, bench: Bench) -> None:
        job = await bench.start(unique_key="k")
        follow_up = bench.job(unique_key="k")
        assert (await bench.finish(job, follow_ups=(follow_up,))).superseded == frozenset()
        assert await bench.insert(bench.job(unique_key="k")) == [Receipt(follow_up.id, Verdict.KEY_TAKEN)]

    async def test_keys_are_free_once_all_outcomes_of_a_call_are_written(self, bench: Bench) -> None:
        first, second = await bench.start(), await bench.start(unique_key="k")
        follow_up = bench.job(unique_key="k")
        report = await bench.write(
            bench.ended(first, What.DONE, follow_ups=(follow_up,)), bench.ended(second, What.DONE)
        )
        assert report.superseded == frozenset()
        assert await bench.status(follow_up.id) is Status.PENDING

    async def test_of_two_follow_ups_with_one_key_the_first_stands(self, bench: Bench) -> None:
        job = await bench.start()
        one, two = bench.job(unique_key="k"), bench.job(unique_key="k")
        assert (await bench.finish(job, follow_ups=(one, two))).superseded == frozenset({two.id})
        assert await bench.status(one.id) is Status.PENDING

    @pytest.mark.parametrize("body_hash", ["same", "other"])
    async def test_where_the_idempotency_key_was_used_that_job_stands(self, bench: Bench, body_hash: str) -> None:
        until = bench.now + 60 * MICROS
        earlier = await bench.add("mail", idempotency=Idempotency("i", "same", until))
        await bench.add()
        job = (await bench.claim(types=frozenset({"echo"}))).jobs[0]
        follow_up = bench.job("mail", idempotency=Idempotency("i", body_hash, until))
        report = await bench.finish(job, follow_ups=(follow_up,))
        assert report.superseded == frozenset({follow_up.id})
        assert [each.id for each in await bench.listed(types=frozenset({"mail"}))] == [earlier]

    async def test_a_follow_up_that_is_pruned_does_not_come_back(self, bench: Bench) -> None:
        job = await bench.start()
        follow_up = bench.job()
        await bench.finish(job, follow_ups=(follow_up,))
        await bench.finish(await bench.claim_one())
        bench.clock.advance(1_000)
        assert await bench.store.prune(bench.now, 100) == 2
        await bench.finish(await bench.start())
        assert await bench.store.get(follow_up.id, bench.now) is None

    async def test_a_follow_up_expires_like_any_job(self, bench: Bench) -> None:
        job = await bench.start()
        follow_up = bench.job(expires_at=bench.now + MICROS)
        await bench.finish(job, follow_ups=(follow_up,))
        bench.clock.advance(2)
        assert await bench.store.expire(bench.now, 10) == 1
        assert await bench.status(follow_up.id) is Status.CANCELLED
