"""Jobs with keys: sequences, limits, rates, pauses. A claim sees only those that their gates have let in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from ferryman.domain.gates import MOST
from ferryman.domain.job import MICROS, ClaimedJob
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.gating import Admitted, KeyStatus
from ferryman.store.protocol import CancelResult, RetryResult, Verdict
from ferryman.testing.conformance.bench import Bench

ONE = GateRule(concurrency=1)
TWO = GateRule(concurrency=2)
SEQUENCE = GateRule(strict=True)
PASSING = GateRule(strict=True, on_failure=OnFailure.PASS)
RATE = GateRule(rate=2.0, burst=3)


async def standing(bench: Bench, ids: Sequence[str]) -> str:
    """Where jobs stand, by the first letters of their statuses; w is waiting, r (runs) is processing."""
    letters = {Status.PROCESSING: "r", Status.COMPLETED: "c", Status.CANCELLED: "x"}
    found = [await bench.status(id) for id in ids]
    return "".join(letters.get(each, each.value[0]) for each in found)


async def keyed(bench: Bench, count: int, gate: GateRule | None = None, key: str = "k", **options: Any) -> list[str]:
    """Hand jobs of one key in, one by one."""
    return [await bench.add(key=key, gate=gate, **options) for _ in range(count)]


async def at(bench: Bench, key: str = "k") -> KeyStatus:
    """A key that must be in use."""
    found = await bench.store.key(key)
    assert found is not None
    return found


class Limiting:
    """At most so many jobs of a key are on their way at once."""

    async def test_a_key_without_a_rule_lets_everybody_in_and_counts(self, bench: Bench) -> None:
        ids = await keyed(bench, 3)
        assert await standing(bench, ids) == "ppp"
        assert await at(bench) == KeyStatus(
            key="k", rule=GateRule(), pinned=False, paused=False, slots=3, waiting=0, held_by=()
        )

    async def test_as_many_are_let_in_as_there_are_slots(self, bench: Bench) -> None:
        ids = await keyed(bench, 4, TWO)
        other = await bench.add(key="other", gate=ONE)
        assert await standing(bench, [*ids, other]) == "ppwwp"
        status = await at(bench)
        assert (status.rule, status.slots, status.waiting) == (TWO, 2, 2)
        first, second, _ = (await bench.claim()).jobs
        assert [first.id, first.key, second.id] == [ids[0], "k", ids[1]]
        assert (await bench.claim()).jobs == []

    async def test_jobs_handed_in_together_are_let_in_in_their_order(self, bench: Bench) -> None:
        jobs = [bench.job(key=f"k{n % 3}", gate=ONE) for n in range(9)]
        plain = bench.job()
        await bench.insert(*jobs, plain)
        assert {job.id for job in (await bench.claim()).jobs} == {plain.id, *(job.id for job in jobs[:3])}
        assert [job.id for job in bench.claimed if job.key] == [job.id for job in jobs[:3]]

    @pytest.mark.parametrize("what", [What.DONE, What.FAILED, What.CANCELLED, What.SNOOZED], ids=str)
    async def test_the_end_of_a_run_lets_the_next_one_in(self, bench: Bench, what: What) -> None:
        ids = await keyed(bench, 2, ONE)
        job = await bench.claim_one()
        report = await bench.finish(job, what, delay=60.0)
        assert report.readied
        assert await bench.status(ids[1]) is Status.PENDING
        assert (await bench.claim_one()).id == ids[1]

    async def test_ends_with_and_without_keys_are_written_together(self, bench: Bench) -> None:
        ids = [*await keyed(bench, 2, ONE), await bench.add(), *await keyed(bench, 2, SEQUENCE, "l")]
        jobs = (await bench.claim()).jobs
        assert [job.key for job in jobs] == ["k", None, "l"]
        whats = (What.FAILED, What.DONE, What.FAILED)
        report = await bench.write(*(bench.ended(job, what, delay=9.0) for job, what in zip(jobs, whats, strict=True)))
        assert not report.fenced
        assert await standing(bench, ids) == "spcsw"

    async def test_a_finish_said_again_frees_nothing_more(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, ONE)
        finish = bench.ended(await bench.claim_one(), What.DONE)
        await bench.write(finish)
        assert not (await bench.write(finish)).fenced
        assert await standing(bench, ids) == "cpw"

    async def test_a_fenced_finish_frees_nothing(self, bench: Bench) -> None:
        node = await bench.node()
        ids = await keyed(bench, 2, ONE)
        job = await bench.claim_one(node)
        await bench.bury(node)
        again = await bench.claim_one(await bench.node())
        assert (await bench.write(bench.ended(job, What.DONE), node=node)).fenced
        assert await standing(bench, ids) == "rw"
        assert again.key == "k"

    async def test_an_insert_said_again_takes_no_slot(self, bench: Bench) -> None:
        jobs = [bench.job(key="k", gate=TWO) for _ in range(3)]
        await bench.insert(*jobs)
        assert {each.verdict for each in await bench.insert(*jobs)} == {Verdict.EXISTS}
        assert await standing(bench, [job.id for job in jobs]) == "ppw"
        assert (await at(bench)).slots == 2

    @pytest.mark.parametrize("what", [What.RELEASED, What.INTERRUPTED], ids=str)
    async def test_a_job_that_is_pending_again_keeps_its_slot(self, bench: Bench, what: What) -> None:
        ids = await keyed(bench, 2, ONE)
        await bench.finish(await bench.claim_one(), what)
        assert await standing(bench, ids) == "pw"

    async def test_a_job_of_a_dead_node_keeps_its_slot(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE)
        await bench.claim_one()
        await bench.bury(await bench.home())
        assert await standing(bench, ids) == "pw"
        job = await bench.claim_one(await bench.node())
        assert (job.id, job.key) == (ids[0], "k")
        assert await standing(bench, ids) == "rw"

    async def test_a_dead_jobs_slot_is_free(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE, max_attempts=1)
        await bench.claim_one()
        await bench.bury(await bench.home())
        assert await standing(bench, ids) == "fp"

    async def test_a_released_batch_keeps_its_slots(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE)
        batch = await bench.claim()
        assert await bench.store.release(await bench.home(), batch.id, bench.now) == 1
        assert await standing(bench, ids) == "pw"

    @pytest.mark.parametrize("which", [0, 1], ids=["pending", "waiting"])
    async def test_a_cancel_frees_the_place(self, bench: Bench, which: int) -> None:
        ids = await keyed(bench, 3, ONE)
        before = [Status.PENDING, Status.WAITING][which]
        assert await bench.store.cancel(ids[which], bench.now) == CancelResult(before, readied=which == 0)
        del ids[which]
        assert await standing(bench, ids) == "pw"
        assert (await at(bench)).waiting == 1

    async def test_a_cancel_that_is_forced_frees_the_slot(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE)
        await bench.claim_one()
        await bench.store.cancel(ids[0], bench.now)
        assert await standing(bench, ids) == "rw"
        bench.clock.advance(1)
        assert await bench.store.force_cancel(bench.now, bench.now) == 1
        assert await standing(bench, ids) == "xp"

    async def test_what_expires_frees_its_place(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE, expires_at=bench.now + MICROS)
        last = await bench.add(key="k", gate=ONE)
        bench.clock.advance(1)
        assert await bench.store.expire(bench.now, 10) == 2
        assert await standing(bench, [*ids, last]) == "xxp"

    async def test_a_scheduled_job_comes_before_its_gate_when_it_is_due(self, bench: Bench) -> None:
        late = await bench.add(key="k", gate=ONE, run_at=bench.now + MICROS)
        ids = await keyed(bench, 1, ONE)
        assert await standing(bench, [late, *ids]) == "sp"
        bench.clock.advance(1)
        assert (await bench.store.promote(bench.now, 10)).count == 1
        assert await standing(bench, [late, *ids]) == "wp"
        await bench.finish(await bench.claim_one())
        assert (await bench.claim_one()).id == late

    async def test_a_failed_job_waits_for_its_next_attempt_without_a_slot(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE)
        await bench.finish(await bench.claim_one(), What.FAILED, delay=1.0)
        assert await standing(bench, ids) == "sp"
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        assert await standing(bench, ids) == "wp"
        await bench.finish(await bench.claim_one())
        again = await bench.claim_one()
        assert (again.id, again.number, again.attempt) == (ids[0], 2, 2)

    async def test_a_retried_job_waits_for_a_slot(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, ONE)
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        assert await bench.store.retry(ids[0], bench.now) == RetryResult(Status.FAILED)
        assert await standing(bench, ids) == "wpw"
        for expected in (ids[1], ids[2], ids[0]):
            job = await bench.claim_one()
            assert job.id == expected
            await bench.finish(job)
        assert (await bench.read(ids[0])).attempt == 1

    async def test_a_retried_job_with_room_is_pending(self, bench: Bench) -> None:
        id = await bench.add(key="k", gate=ONE)
        await bench.store.cancel(id, bench.now)
        await bench.store.retry(id, bench.now)
        assert await bench.status(id) is Status.PENDING
        assert (await at(bench)).slots == 1

    async def test_follow_ups_come_before_their_gate(self, bench: Bench) -> None:
        first = await bench.add(key="k", gate=ONE)
        follow = [bench.job(key="k", gate=ONE), bench.job(key="l", gate=ONE), bench.job(key="l", gate=ONE)]
        await bench.finish(await bench.claim_one(), follow_ups=tuple(follow))
        assert await standing(bench, [first, *(job.id for job in follow)]) == "cppw"

    async def test_a_claim_that_rides_along_takes_those_that_are_let_in_at_most(self, bench: Bench) -> None:
        jobs = [bench.job(key="k", gate=ONE) for _ in range(2)]
        inserted = await bench.store.insert(jobs, bench.now, claim=bench.request(await bench.home()))
        assert inserted.batch is not None
        taken = {job.id for job in (*inserted.batch.jobs, *(await bench.claim()).jobs)}
        assert taken == {jobs[0].id}

    async def test_waiting_jobs_fill_a_queue(self, bench: Bench) -> None:
        await keyed(bench, 2, ONE)
        (receipt,) = await bench.insert(bench.job(), max_pending=2)
        assert receipt.verdict is Verdict.FULL

    async def test_keys_are_of_jobs_of_any_type_and_queue(self, bench: Bench) -> None:
        ids = [await bench.add("echo", key="k", gate=ONE), await bench.add("mail", queue="m", key="k", gate=ONE)]
        assert await standing(bench, ids) == "pw"
        counts = await bench.counts()
        assert (counts.standing["default", Status.PENDING], counts.standing["m", Status.WAITING]) == (1, 1)
        await bench.finish(await bench.claim_one())
        assert await standing(bench, ids) == "cp"

    async def test_a_batch_of_a_lost_reply_has_its_keys(self, bench: Bench) -> None:
        await keyed(bench, 1, ONE)
        request = bench.request(await bench.home())
        first = await bench.store.claim(request, bench.now)
        again = await bench.store.claim(request, bench.now)
        assert [job.key for job in (*first.jobs, *again.jobs)] == ["k", "k"]

    async def test_a_waiting_job_is_listed_and_read(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE)
        assert [job.id for job in await bench.listed(statuses=frozenset({Status.WAITING}))] == [ids[1]]
        assert (await bench.read(ids[1])).attempt == 0


class RulingKeys:
    """Which rule a gate keeps to."""

    async def test_the_newest_job_brings_the_rule(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, ONE)
        assert await standing(bench, ids) == "pww"
        ids += await keyed(bench, 1, TWO)
        assert await standing(bench, ids) == "ppww"
        assert (await at(bench)).rule == TWO

    async def test_one_that_brings_none_leaves_it(self, bench: Bench) -> None:
        ids = [*await keyed(bench, 1, ONE), *await keyed(bench, 1)]
        assert await standing(bench, ids) == "pw"

    async def test_an_older_job_that_comes_late_leaves_it(self, bench: Bench) -> None:
        late = await bench.add(key="k", gate=TWO, run_at=bench.now + MICROS)
        ids = await keyed(bench, 2, ONE)
        bench.clock.advance(1)
        await bench.store.promote(bench.now, 10)
        assert await standing(bench, [late, *ids]) == "wpw"
        assert (await at(bench)).rule == ONE

    async def test_a_rule_set_by_a_person_stays(self, bench: Bench) -> None:
        await bench.store.set_key("k", TWO, bench.now)
        ids = await keyed(bench, 3, ONE)
        assert await standing(bench, ids) == "ppw"
        assert ((await at(bench)).pinned, (await at(bench)).rule) == (True, TWO)

    async def test_a_rule_that_is_set_counts_at_once(self, bench: Bench) -> None:
        ids = await keyed(bench, 4, ONE)
        for _ in range(2):
            await bench.store.set_key("k", GateRule(concurrency=3), bench.now)
            assert await standing(bench, ids) == "pppw"
        await bench.store.set_key("k", ONE, bench.now)
        await bench.finish((await bench.claim()).jobs[0])
        assert await standing(bench, ids) == "crrw"

    async def test_an_unpinned_rule_stays_until_a_job_brings_another(self, bench: Bench) -> None:
        await bench.store.set_key("k", ONE, bench.now)
        await bench.store.set_key("k", None, bench.now)
        ids = await keyed(bench, 2)
        assert await standing(bench, ids) == "pw"
        ids += await keyed(bench, 1, TWO)
        assert await standing(bench, ids) == "ppw"
        assert not (await at(bench)).pinned


class Pausing:
    """A paused key lets nobody in; who is in goes on."""

    async def test_a_paused_key_lets_nobody_in(self, bench: Bench) -> None:
        ids = await keyed(bench, 1)
        for _ in range(2):
            await bench.store.pause_key("k", True, bench.now)
        ids += await keyed(bench, 2)
        assert await standing(bench, ids) == "pww"
        assert (await at(bench)).paused
        await bench.finish(await bench.claim_one())
        assert await standing(bench, ids) == "cww"
        assert await bench.store.admit(bench.now, 10) == Admitted(0, None)
        await bench.store.pause_key("k", False, bench.now)
        assert await standing(bench, ids) == "cpp"

    async def test_a_key_that_nobody_uses_can_be_paused(self, bench: Bench) -> None:
        await bench.store.pause_key("k", True, bench.now)
        ids = await keyed(bench, 1, TWO)
        assert await standing(bench, ids) == "w"
        assert (await at(bench)).rule == TWO

    async def test_many_are_let_in_by_and_by(self, bench: Bench) -> None:
        await bench.store.pause_key("k", True, bench.now)
        await bench.insert(*[bench.job(key="k") for _ in range(MOST + 5)])
        await bench.store.pause_key("k", False, bench.now)
        assert (await at(bench)).waiting == 5
        assert await bench.store.admit(bench.now, 10) == Admitted(5, None)
        assert (await bench.store.admit(bench.now, 10)).count == 0
        assert (await at(bench)).slots == MOST + 5


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


class Rating:
    """In any window of t seconds at most rate x t + burst claims."""

    async def test_a_burst_then_one_by_one(self, bench: Bench) -> None:
        ids = await keyed(bench, 6, RATE)
        assert await standing(bench, ids) == "pppwww"
        assert await bench.store.admit(bench.now, 10) == Admitted(0, bench.now + MICROS // 8)
        await bench.claim()
        bench.clock.advance(0.5)
        assert (await bench.store.admit(bench.now, 10)).count == 0  # it has only now seen that three were claimed
        bench.clock.advance(0.5)
        assert await bench.store.admit(bench.now, 10) == Admitted(1, bench.now + MICROS // 2)
        bench.clock.advance(0.5)
        assert (await bench.store.admit(bench.now, 10)).count == 1
        assert await standing(bench, ids) == "rrrppw"

    async def test_what_is_not_claimed_lets_no_tokens_pile_up(self, bench: Bench) -> None:
        ids = await keyed(bench, 10, RATE)
        bench.clock.advance(100)
        assert (await bench.store.admit(bench.now, 10)).count == 0
        assert await standing(bench, ids) == "ppp" + 7 * "w"

    async def test_each_claim_spends_a_token(self, bench: Bench) -> None:
        ids = await keyed(bench, 5, RATE)
        batch = await bench.claim()
        assert await bench.store.release(await bench.home(), batch.id, bench.now) == 3
        assert await standing(bench, ids) == "wwwww"
        assert (await bench.claim()).jobs == []
        bench.clock.advance(1)
        assert (await bench.store.admit(bench.now, 10)).count == 2
        assert await standing(bench, ids) == "ppwww"  # those that came back stand first, in their order

    async def test_an_end_lets_in_whom_a_token_is_there_for(self, bench: Bench) -> None:
        ids = await keyed(bench, 6, RATE)
        jobs = (await bench.claim()).jobs
        await bench.finish(jobs[0])
        bench.clock.advance(1)
        await bench.finish(jobs[1])
        assert await standing(bench, ids) == "ccrppw"

    async def test_no_window_has_more_claims_than_it_may(self, bench: Bench) -> None:
        rule = GateRule(rate=10.0, burst=4)
        await bench.insert(*[bench.job(key="k", gate=rule) for _ in range(60)])
        times: list[int] = []
        for step in range(100):
            bench.clock.advance(0.03)
            if step % 3:
                await bench.store.admit(bench.now, 10)
            if step % 7 == 0:
                times += [bench.now for _ in (await bench.claim()).jobs]
        for first, began in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= rule.burst + 10.0 * (times[last] - began) / MICROS + 1e-6
        assert len(times) >= 25

    async def test_a_new_rate_gives_no_tokens(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, RATE)
        await bench.claim()
        ids += await keyed(bench, 3, GateRule(rate=2.0, burst=30))
        assert await standing(bench, ids) == "rrrwww"
        await bench.store.set_key("k", GateRule(), bench.now)
        assert await standing(bench, ids) == "rrrppp"

    async def test_a_rate_and_slots(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, GateRule(rate=100.0, burst=10, concurrency=1))
        assert await standing(bench, ids) == "pww"
        assert (await bench.store.admit(bench.now, 10)).next_due is None
        await bench.finish(await bench.claim_one())
        assert await standing(bench, ids) == "cpw"

    async def test_a_retry_spends_a_token(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, RATE)
        for job in (await bench.claim()).jobs:
            await bench.finish(job, What.FAILED, retryable=False)
        await bench.store.retry(ids[0], bench.now)
        assert await standing(bench, ids) == "wff"


class Crowding:
    """Whoever comes to one gate at the same moment over two connections."""

    async def test_no_more_are_let_in_than_there_is_room_for(self, bench: Bench) -> None:
        other = await bench.harness.another()
        for turn in range(4):
            jobs = [bench.job(key=f"k{turn}", gate=TWO) for _ in range(8)]
            await asyncio.gather(
                *(([bench.store, other][n % 2]).insert([job], bench.now) for n, job in enumerate(jobs))
            )
            assert sorted(await standing(bench, [job.id for job in jobs])) == list("ppwwwwww")

    async def test_every_slot_that_is_freed_is_taken(self, bench: Bench) -> None:
        other, node = await bench.harness.another(), await bench.home()
        for turn in range(4):
            ids = await keyed(bench, 6, TWO, f"k{turn}")
            first, second = await bench.claim_one(), await bench.claim_one()
            await asyncio.gather(
                bench.store.finish(node, [bench.ended(first, What.DONE)], bench.now),
                other.finish(node, [bench.ended(second, What.DONE)], bench.now),
            )
            assert sorted(await standing(bench, ids)) == list("ccppww")
            for job in (await bench.claim()).jobs:
                await bench.finish(job)
            for job in (await bench.claim()).jobs:
                await bench.finish(job)

    async def test_a_cancel_beside_an_end_lets_one_in(self, bench: Bench) -> None:
        other, node = await bench.harness.another(), await bench.home()
        for turn in range(4):
            ids = await keyed(bench, 3, SEQUENCE, f"k{turn}")
            job = await bench.claim_one()
            await asyncio.gather(
                bench.store.finish(node, [bench.ended(job, What.DONE)], bench.now), other.cancel(ids[1], bench.now)
            )
            assert await standing(bench, ids) == "cxp"
            await bench.finish(await bench.claim_one())

    async def test_a_token_is_spent_once(self, bench: Bench) -> None:
        other = await bench.harness.another()
        ids = await keyed(bench, 9, RATE)
        await bench.claim()
        bench.clock.advance(0.5)
        await bench.store.admit(bench.now, 10)  # it sees that all of the burst were claimed
        bench.clock.advance(1)
        await asyncio.gather(*(store.admit(bench.now, 10) for store in (bench.store, other, bench.store, other)))
        assert await standing(bench, ids) == "rrrppwwww"

    async def test_a_retry_beside_a_pass_keeps_the_order_or_gives_it_up(self, bench: Bench) -> None:
        other = await bench.harness.another()
        for turn in range(4):
            ids = await keyed(bench, 2, SEQUENCE, f"k{turn}")
            await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
            both = [bench.store.retry(ids[0], bench.now), other.pass_key(f"k{turn}", bench.now)]
            await asyncio.gather(*(both if turn % 2 else reversed(both)))
            assert await standing(bench, ids) in ("pw", "wp")
            await bench.finish(await bench.claim_one())
            await bench.finish(await bench.claim_one())


class Keeping:
    """What is known of keys, and for how long."""

    async def test_keys_are_listed_by_their_texts(self, bench: Bench) -> None:
        for key in ("b", "a", "é", "c"):
            await keyed(bench, 1, ONE, key)
        assert [each.key for each in await bench.store.keys(None, 3)] == ["a", "b", "c"]
        assert [each.key for each in await bench.store.keys("b", 10)] == ["c", "é"]

    async def test_a_gate_that_nobody_uses_is_forgotten(self, bench: Bench) -> None:
        await keyed(bench, 1, ONE)
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is not None
        await bench.finish(await bench.claim_one())
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is None

    async def test_one_that_a_person_has_set_is_kept(self, bench: Bench) -> None:
        await bench.store.set_key("set", ONE, bench.now)
        await bench.store.pause_key("paused", True, bench.now)
        await bench.store.prune(bench.now, 100)
        assert [each.key for each in await bench.store.keys(None, 10)] == ["paused", "set"]
        await bench.store.set_key("set", None, bench.now)
        await bench.store.pause_key("paused", False, bench.now)
        await bench.store.prune(bench.now, 100)
        assert list(await bench.store.keys(None, 10)) == []

    async def test_one_with_spent_tokens_is_kept_until_they_are_back(self, bench: Bench) -> None:
        ids = await keyed(bench, 3, RATE)
        for job in (await bench.claim()).jobs:
            await bench.finish(job)
        bench.clock.advance(1.4)
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is not None
        bench.clock.advance(0.1)
        await bench.store.prune(bench.now, 100)
        assert await bench.store.key("k") is None
        assert await standing(bench, ids) == "ccc"

    async def test_waiting_jobs_keep_their_gate(self, bench: Bench) -> None:
        ids = await keyed(bench, 2, ONE)
        bench.clock.advance(1_000_000)
        await bench.store.prune(bench.now, 100)
        assert await standing(bench, ids) == "pw"
        assert (await at(bench)).waiting == 1

    async def test_two_stores_see_the_same_slots(self, bench: Bench) -> None:
        other = await bench.harness.another()
        first, second = bench.job(key="k", gate=ONE), bench.job(key="k", gate=ONE)
        await bench.store.insert([first], bench.now)
        await other.insert([second], bench.now)
        assert await standing(bench, [first.id, second.id]) == "pw"
        job: ClaimedJob = await bench.claim_one(await bench.node(other))
        await other.finish(bench.nodes[0], [bench.ended(job, What.DONE)], bench.now)
        assert await standing(bench, [first.id, second.id]) == "cp"
