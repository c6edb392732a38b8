"""Jobs with keys, and how many of a key are on their way. A claim sees only those that their gates have let in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.gating import KeyStatus
from ferryman.store.protocol import CancelResult, RetryResult, Verdict
from ferryman.testing.conformance.bench import Bench

ONE = GateRule(concurrency=1)
TWO = GateRule(concurrency=2)
SEQUENCE = GateRule(strict=True)
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
