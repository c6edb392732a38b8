"""Rules: what is paused is not claimed, and limits hold over all claims, whoever makes them."""

from __future__ import annotations

import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.limits import JUMP, NEVER, Again, Limit, Rule, Scope
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.conformance.bench import Bench

MAIL = (Scope.TYPE, "mail")
POST = (Scope.QUEUE, "post")
EVERY = 0.1
"""Seconds between two tokens of the rate in these tests, which is 10 a second."""


class Ruling:
    """pause, limit, and the claims that obey."""

    async def test_there_are_no_rules_at_first(self, bench: Bench) -> None:
        assert list(await bench.store.rules()) == []

    async def test_rules_are_told_as_they_were_set(self, bench: Bench) -> None:
        assert await bench.store.pause(*MAIL, True) == Rule(*MAIL, True)
        assert await bench.store.limit(*MAIL, Limit(2)) == Rule(*MAIL, True, Limit(2))
        assert await bench.store.limit(*POST, Limit(3, 2.5, 4)) == Rule(*POST, False, Limit(3, 2.5, 4))
        assert list(await bench.store.rules()) == [
            Rule(*POST, False, Limit(3, 2.5, 4)),
            Rule(*MAIL, True, Limit(2)),
        ]

    async def test_a_rule_that_says_nothing_any_more_is_gone(self, bench: Bench) -> None:
        await bench.store.pause(*MAIL, True)
        await bench.store.limit(*POST, Limit(3))
        assert await bench.store.pause(*MAIL, False) == Rule(*MAIL)
        assert await bench.store.limit(*POST, Limit()) == Rule(*POST)
        assert list(await bench.store.rules()) == []

    # -- pause -----------------------------------------------------------------------------------

    async def test_a_paused_queue_is_not_claimed(self, bench: Bench) -> None:
        held, free = await bench.add(queue="post"), await bench.add()
        await bench.store.pause(*POST, True)
        assert [job.id for job in (await bench.claim()).jobs] == [free]
        assert await bench.status(held) is Status.PENDING
        await bench.store.pause(*POST, False)
        assert [job.id for job in (await bench.claim()).jobs] == [held]

    async def test_a_paused_type_is_not_claimed_in_any_queue(self, bench: Bench) -> None:
        await bench.add("mail")
        await bench.add("mail", queue="post")
        free = await bench.add(queue="post")
        await bench.store.pause(*MAIL, True)
        assert [job.id for job in (await bench.claim()).jobs] == [free]

    async def test_a_claim_that_rides_along_obeys(self, bench: Bench) -> None:
        await bench.store.pause(*MAIL, True)
        request = bench.request(await bench.home())
        inserted = await bench.store.insert([bench.job("mail"), bench.job()], bench.now, claim=request)
        assert inserted.batch is not None
        assert [job.type for job in inserted.batch.jobs] == ["echo"]

    async def test_what_runs_goes_on(self, bench: Bench) -> None:
        job = await bench.start(type="mail")
        await bench.store.pause(*MAIL, True)
        await bench.finish(job)
        assert await bench.status(job.id) is Status.COMPLETED

    async def test_other_connections_obey_at_once(self, bench: Bench) -> None:
        await bench.add("mail")
        other = await bench.harness.another()
        assert (await other.claim(bench.request(await bench.home(), limit=0), bench.now)).jobs == []
        await bench.store.pause(*MAIL, True)
        assert (await other.claim(bench.request(await bench.home()), bench.now)).jobs == []
        await other.pause(*MAIL, False)
        assert len((await bench.claim()).jobs) == 1

    async def test_a_limit_that_others_have_ended_binds_nobody(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(1))
        for _ in range(3):
            await bench.add(queue="post")
        other = await bench.harness.another()
        assert len((await other.claim(bench.request(await bench.home()), bench.now)).jobs) == 1
        await bench.store.limit(*POST, Limit())
        assert len((await other.claim(bench.request(await bench.home()), bench.now)).jobs) == 2

    # -- concurrency -----------------------------------------------------------------------------

    async def test_a_queue_has_no_more_jobs_processing_than_its_limit(self, bench: Bench) -> None:
        ids = [await bench.add(queue="post") for _ in range(5)]
        await bench.store.limit(*POST, Limit(2))
        first = await bench.claim()
        assert [job.id for job in first.jobs] == ids[:2]
        assert first.again == Again(limited=True)
        assert (await bench.claim()).jobs == []
        await bench.finish(first.jobs[0])
        assert [job.id for job in (await bench.claim(await bench.node())).jobs] == ids[2:3]

    async def test_a_limit_counts_what_was_claimed_before_it_was_set(self, bench: Bench) -> None:
        await bench.start(queue="post")
        await bench.start(queue="post")
        await bench.add(queue="post")
        await bench.store.limit(*POST, Limit(2))
        assert (await bench.claim()).jobs == []
        await bench.store.limit(*POST, Limit(3))
        assert len((await bench.claim()).jobs) == 1

    @pytest.mark.parametrize("what", [What.FAILED, What.RELEASED, What.LOST, What.SNOOZED, What.CANCELLED])
    async def test_every_end_of_a_run_makes_room(self, bench: Bench, what: What) -> None:
        await bench.store.limit(*POST, Limit(1))
        job = await bench.start(queue="post")
        other = await bench.add(queue="post", priority=0)
        assert (await bench.claim()).jobs == []
        await bench.finish(job, what)
        assert [job.id for job in (await bench.claim()).jobs] == [other]

    async def test_a_rescue_makes_room(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(1))
        node = await bench.node()
        id = await bench.add(queue="post")
        await bench.claim_one(node)
        assert (await bench.claim(await bench.node())).jobs == []
        await bench.bury(node)
        assert [job.id for job in (await bench.claim(bench.nodes[-1])).jobs] == [id]

    async def test_jobs_that_are_not_under_the_limit_pass_those_that_are(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(1))
        ids = [await bench.add(queue="post") for _ in range(8)]
        free = [await bench.add() for _ in range(3)]
        assert [job.id for job in (await bench.claim(limit=4, idle=4)).jobs] == [ids[0], *free]

    async def test_a_limit_holds_over_all_lanes_of_its_queue(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(3))
        ids = [
            await bench.add(type, queue="post", priority=4 + turn % 3) for turn in range(4) for type in ("echo", "mail")
        ]
        first = await bench.claim()
        assert [job.id for job in first.jobs] == [ids[0], ids[1], ids[6]]
        assert (await bench.claim()).jobs == []

    async def test_a_job_needs_room_under_both_of_its_limits(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(3))
        await bench.store.limit(*MAIL, Limit(1))
        for _ in range(3):
            await bench.add("mail", queue="post")
            await bench.add("mail")
        for _ in range(4):
            await bench.add(queue="post")
        batch = await bench.claim()
        assert [(job.type, job.queue) for job in batch.jobs] == [("mail", "post"), ("echo", "post"), ("echo", "post")]
        await bench.finish(batch.jobs[0])
        assert [(job.type, job.queue) for job in (await bench.claim()).jobs] == [("mail", "default"), ("echo", "post")]

    async def test_priorities_count_under_a_limit(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(2))
        ids = [await bench.add(queue="post", priority=priority) for priority in (9, 5, 0, 0)]
        assert [job.id for job in (await bench.claim()).jobs] == ids[2:]

    async def test_jobs_under_a_limit_are_not_claimed_ahead(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(50))
        for _ in range(5):
            await bench.add(queue="post")
        assert len((await bench.claim(idle=2)).jobs) == 2
        assert (await bench.claim(idle=0)).jobs == []

    async def test_the_limit_of_a_claim_holds_under_a_limit_too(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(50))
        for _ in range(5):
            await bench.add(queue="post")
        assert len((await bench.claim(limit=3)).jobs) == 3
        assert (await bench.claim(limit=0)).jobs == []

    async def test_a_claim_that_is_said_again_takes_no_more(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(2, 10, 2))
        for _ in range(5):
            await bench.add(queue="post")
        request = bench.request(await bench.home())
        first = await bench.store.claim(request, bench.now)
        assert (await bench.store.claim(request, bench.now)).jobs == first.jobs
        await bench.store.limit(*POST, Limit(5, 10, 5))
        assert len((await bench.claim()).jobs) == 0

    async def test_a_suspect_is_claimed_alone_within_a_limit(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(1))
        id = await bench.add(queue="post", max_attempts=9)
        for _ in range(2):
            node = await bench.node()
            await bench.claim_one(node)
            await bench.bury(node)
        await bench.add(queue="post")
        node = await bench.node()
        assert len((await bench.claim(node)).jobs) == 1
        assert (await bench.claim(node)).jobs == []
        await bench.store.limit(*POST, Limit(2))
        assert len((await bench.claim(node)).jobs) == 1
        assert await bench.status(id) is Status.PROCESSING

    # -- rate ------------------------------------------------------------------------------------

    async def test_a_rate_gives_its_burst_at_once_and_then_one_job_at_a_time(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(rate=10, burst=3))
        ids = [await bench.add(queue="post") for _ in range(9)]
        first = await bench.claim()
        assert [job.id for job in first.jobs] == ids[:3]
        assert first.again == Again(limited=True, due=bench.now + round(EVERY * MICROS))
        bench.clock.advance(EVERY * 0.99)
        assert (await bench.claim()).jobs == []
        bench.clock.advance(EVERY * 0.01)
        assert [job.id for job in (await bench.claim()).jobs] == ids[3:4]
        bench.clock.advance(EVERY * 2.5)
        assert [job.id for job in (await bench.claim()).jobs] == ids[4:6]
        bench.clock.advance(EVERY * 0.5)
        assert [job.id for job in (await bench.claim()).jobs] == ids[6:7]
        bench.clock.advance(100)
        assert [job.id for job in (await bench.claim()).jobs] == ids[7:]

    async def test_a_rate_holds_over_types_and_nodes(self, bench: Bench) -> None:
        await bench.store.limit(*MAIL, Limit(rate=10, burst=2))
        for queue in ("a", "b", "c"):
            await bench.add("mail", queue=queue)
        assert len((await bench.claim(await bench.node(), limit=1)).jobs) == 1
        assert len((await bench.claim(await bench.node())).jobs) == 1
        assert (await bench.claim(await bench.node())).jobs == []

    async def test_every_start_costs_a_token(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(rate=10, burst=2))
        job = await bench.start(queue="post")
        await bench.finish(job, What.RELEASED)
        job = await bench.claim_one()
        await bench.finish(job, What.RELEASED)
        assert (await bench.claim()).jobs == []
        bench.clock.advance(EVERY)
        assert len((await bench.claim()).jobs) == 1

    async def test_what_was_spent_stays_spent_when_the_rate_changes(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(rate=10, burst=2))
        for _ in range(9):
            await bench.add(queue="post")
        await bench.claim()
        await bench.store.limit(*POST, Limit(rate=20, burst=5))
        assert (await bench.claim()).jobs == []
        bench.clock.advance(EVERY)
        assert len((await bench.claim()).jobs) == 2

    async def test_a_clock_that_is_a_little_behind_gains_nothing(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(rate=10, burst=1))
        first, second = [await bench.add(queue="post") for _ in range(2)]
        before = bench.now
        assert [job.id for job in (await bench.claim()).jobs] == [first]
        bench.clock.jump(-EVERY)
        assert (await bench.claim()).jobs == []
        bench.clock.advance(EVERY)
        assert (await bench.claim()).jobs == []
        bench.clock.advance(EVERY)
        batch = await bench.claim()
        assert [job.id for job in batch.jobs] == [second]
        assert batch.claimed_at >= before + round(EVERY * MICROS)

    async def test_the_time_of_a_claim_is_not_before_the_last_one_under_its_rate(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(rate=10, burst=2))
        await bench.add(queue="post")
        second = await bench.add(queue="post")
        at = (await bench.claim(limit=1)).claimed_at
        bench.clock.jump(-1)
        batch = await bench.claim()
        assert [job.id for job in batch.jobs] == [second]
        assert batch.claimed_at == at
        assert (await bench.read(second)).started_at == at

    async def test_a_clock_that_was_set_back_does_not_stop_a_rate(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(rate=10, burst=1))
        await bench.add(queue="post")
        await bench.claim()
        await bench.add(queue="post")
        bench.clock.jump(-JUMP / MICROS - 1)
        assert (await bench.claim()).jobs == []
        bench.clock.advance(EVERY)
        assert len((await bench.claim()).jobs) == 1

    async def test_who_asks_in_vain_for_want_of_jobs_is_not_told_to_ask_again(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(2, 10, 5))
        await bench.add(queue="post")
        assert (await bench.claim()).again == NEVER
        assert (await bench.claim()).again == NEVER

    # -- age -------------------------------------------------------------------------------------

    async def test_by_age_the_priorities_are_passed_over(self, bench: Bench) -> None:
        ids = []
        for priority in (9, 5, 0, 7):
            ids.append(await bench.add(priority=priority))
            bench.clock.advance(0.001)
        assert [job.id for job in (await bench.claim(by_age=True, limit=2)).jobs] == ids[:2]
        assert [job.id for job in (await bench.claim(limit=2)).jobs] == [ids[2], ids[3]]

    async def test_by_age_limits_hold(self, bench: Bench) -> None:
        await bench.store.limit(*POST, Limit(1))
        ids = []
        for priority in (9, 0, 5):
            ids.append(await bench.add(queue="post", priority=priority))
            bench.clock.advance(0.001)
        free = await bench.add(priority=0)
        assert [job.id for job in (await bench.claim(by_age=True)).jobs] == [ids[0], free]

    async def test_a_claim_says_whether_there_are_several_priorities(self, bench: Bench) -> None:
        await bench.add(queue="post", priority=3)
        assert not (await bench.claim()).mixed
        await bench.add(queue="post", priority=4)
        assert (await bench.claim()).mixed
        assert not (await bench.claim(queues=frozenset({"elsewhere"}))).mixed
        await bench.store.limit(*POST, Limit(1))
        assert (await bench.claim()).mixed
