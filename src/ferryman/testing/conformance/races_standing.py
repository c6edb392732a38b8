"""Races over a job that stands, has ended, or is only about to be."""

from __future__ import annotations

from typing import Any

from ferryman.domain.job import MICROS, Idempotency, NewJob
from ferryman.domain.state import Status
from ferryman.store.protocol import Promoted, Verdict
from ferryman.testing.conformance import heats
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.heats import Call, Heat


async def promote_cancel(bench: Bench) -> Heat:
    """Whether it was promoted first or not, it ends cancelled and never runs."""
    id = await bench.add(run_at=bench.now + 1)
    bench.clock.advance(1)

    async def judge(promoted: Any, cancelled: Any) -> None:
        assert promoted == Promoted(int(cancelled.before is Status.PENDING), None)
        assert await bench.status(id) is Status.CANCELLED
        assert (await bench.claim()).jobs == []

    return Heat(heats.promote(bench), heats.cancel(bench, id), judge)


async def promote_promote(bench: Bench) -> Heat:
    """Two sweepers: a due job becomes pending once."""
    ids = [await bench.add(run_at=bench.now + 1) for _ in range(3)]
    bench.clock.advance(1)

    async def judge(one: Any, two: Any) -> None:
        assert one.count + two.count == len(ids)
        assert sorted(job.id for job in (await bench.claim()).jobs) == ids

    return Heat(heats.promote(bench), heats.promote(bench), judge)


async def promote_expire(bench: Bench) -> Heat:
    """Due and out of time at once: it expires, from wherever it stands."""
    id = await bench.add(run_at=bench.now + 1, expires_at=bench.now + 2)
    bench.clock.advance(1)

    async def judge(promoted: Any, expired: Any) -> None:
        assert (promoted.count in (0, 1), expired) == (True, 1)
        assert await bench.status(id) is Status.CANCELLED

    return Heat(heats.promote(bench), Call("expire", (bench.now, 10)), judge)


async def cancel_cancel(bench: Bench) -> Heat:
    """One of two cancels finds it pending."""
    id = await bench.add()

    async def judge(one: Any, two: Any) -> None:
        assert {one.before, two.before} == {Status.PENDING, Status.CANCELLED}
        assert (await bench.read(id)).claim == 1

    return Heat(heats.cancel(bench, id), heats.cancel(bench, id), judge)


async def retry_retry(bench: Bench) -> Heat:
    """Two people retry one job: it starts over once."""
    id = await bench.bring(Status.FAILED)

    async def judge(one: Any, two: Any) -> None:
        assert {one.before, two.before} == {Status.FAILED, Status.PENDING}
        assert (await bench.read(id)).claim == 2
        assert await bench.totals("retried") == [1]

    return Heat(heats.retry(bench, id), heats.retry(bench, id), judge)


async def retry_prune(bench: Bench) -> Heat:
    """At the end of its retention a job is either retried and kept, or gone."""
    id = await bench.bring(Status.FAILED)
    soon = bench.now + 199 * MICROS
    bench.clock.advance(200)

    async def judge(retried: Any, pruned: Any) -> None:
        assert pruned == (retried.before is None)
        job = await bench.store.get(id, bench.now)
        assert (job.status if job else None) is (None if pruned else Status.PENDING)

    # the retrying node's clock is a second behind
    return Heat(Call("retry", (id, soon)), Call("prune", (bench.now, 10)), judge)


async def retry_enqueue(bench: Bench) -> Heat:
    """A retry and a new job want one unique key."""
    id = await bench.bring(Status.FAILED, unique_key="k")
    new = bench.job(unique_key="k")

    async def judge(retried: Any, inserted: Any) -> None:
        (receipt,) = inserted.receipts
        won = receipt.verdict is Verdict.INSERTED
        assert receipt.id == (new.id if won else id)
        assert retried.holder == (new.id if won else None)
        assert await bench.status(id) is (Status.FAILED if won else Status.PENDING)

    return Heat(heats.retry(bench, id), Call("insert", ([new], bench.now)), judge)


async def enqueue_same_id(bench: Bench) -> Heat:
    """One enqueue said twice is one job."""
    job = bench.job()
    return await _enqueue_both(bench, (job, job), Verdict.EXISTS)


async def enqueue_same_unique_key(bench: Bench) -> Heat:
    """One unique key goes to one of two jobs."""
    return await _enqueue_both(bench, (bench.job(unique_key="k"), bench.job(unique_key="k")), Verdict.KEY_TAKEN)


async def enqueue_same_idempotency_key(bench: Bench) -> Heat:
    """One idempotency key stands for one of two jobs."""
    promise = Idempotency("key", "hash", bench.now + MICROS)
    return await _enqueue_both(
        bench, (bench.job(idempotency=promise), bench.job(idempotency=promise)), Verdict.REPLAYED
    )


async def _enqueue_both(bench: Bench, jobs: tuple[NewJob, NewJob], refused: Verdict) -> Heat:
    # neighbours in the same call, in opposite order, as a batch of a client would have
    near, far = bench.job(), bench.job()
    left, right = [near, jobs[0], far], [jobs[1], bench.job(), bench.job()]

    async def judge(one: Any, two: Any) -> None:
        first, second = one.receipts[1], two.receipts[0]
        assert {first.verdict, second.verdict} == {Verdict.INSERTED, refused}
        assert first.id == second.id == (jobs[0] if first.verdict is Verdict.INSERTED else jobs[1]).id
        assert len(await bench.listed()) == 5

    return Heat(Call("insert", (left, bench.now)), Call("insert", (right, bench.now)), judge)
