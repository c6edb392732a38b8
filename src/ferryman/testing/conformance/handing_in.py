"""insert: every verdict, and what a job looks like that has just been handed in."""

from __future__ import annotations

import pytest

from ferryman.domain.errors import NodeNotLive
from ferryman.domain.job import MICROS, Idempotency, Job
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.protocol import Receipt, Verdict
from ferryman.testing.conformance.bench import Bench

NOBODY = 4_242_424_242


class HandingIn:
    """Jobs are stored, or refused with a reason; each is judged on its own."""

    async def test_a_new_job_reads_as_it_was_handed_in(self, bench: Bench) -> None:
        job = bench.job(
            "mail",
            payload='{"to":"a"}',
            queue="post",
            priority=2,
            max_attempts=7,
            timeout=1.5,
            expires_at=bench.now + MICROS,
            unique_key="k",
            tags=("a", "b"),
        )
        assert await bench.insert(job) == [Receipt(job.id, Verdict.INSERTED)]
        assert await bench.read(job.id) == Job(
            id=job.id,
            type="mail",
            queue="post",
            priority=2,
            status=Status.PENDING,
            attempt=0,
            max_attempts=7,
            claim=0,
            payload='{"to":"a"}',
            result=None,
            error=None,
            run_at=None,
            created_at=bench.now,
            started_at=None,
            finished_at=None,
            expires_at=bench.now + MICROS,
            worker_id=None,
            node=None,
            unique_key="k",
            tags=("a", "b"),
        )

    @pytest.mark.parametrize(
        ("delay", "status"), [(-1, Status.PENDING), (0, Status.PENDING), (1, Status.SCHEDULED)], ids=str
    )
    async def test_a_run_at_to_come_schedules(self, bench: Bench, delay: int, status: Status) -> None:
        id = await bench.add(run_at=bench.now + delay)
        job = await bench.read(id)
        assert (job.status, job.run_at) == (status, bench.now + delay)

    async def test_the_same_id_twice_is_one_job(self, bench: Bench) -> None:
        first = bench.job(payload='{"first":1}')
        again = bench.job(id=first.id, payload='{"second":2}')
        assert await bench.insert(first, again) == [
            Receipt(first.id, Verdict.INSERTED),
            Receipt(first.id, Verdict.EXISTS),
        ]
        assert await bench.insert(again) == [Receipt(first.id, Verdict.EXISTS)]
        assert (await bench.read(first.id)).payload == '{"first":1}'
        assert await bench.totals("created") == [1]

    async def test_an_id_stays_taken_while_and_after_its_job_runs(self, bench: Bench) -> None:
        job = bench.job()
        await bench.insert(job)
        claimed = await bench.claim_one()
        assert (await bench.insert(job))[0].verdict is Verdict.EXISTS
        await bench.finish(claimed)
        assert (await bench.insert(job))[0].verdict is Verdict.EXISTS
        assert await bench.status(job.id) is Status.COMPLETED

    async def test_an_insert_of_nothing_is_nothing(self, bench: Bench) -> None:
        assert await bench.insert() == []

    async def test_one_refused_job_does_not_harm_its_neighbours(self, bench: Bench) -> None:
        await bench.add(unique_key="k")
        jobs = [bench.job(), bench.job(unique_key="k"), bench.job()]
        verdicts = [receipt.verdict for receipt in await bench.insert(*jobs)]
        assert verdicts == [Verdict.INSERTED, Verdict.KEY_TAKEN, Verdict.INSERTED]
        assert await bench.store.get(jobs[1].id, bench.now) is None

    # -- idempotency keys ------------------------------------------------------------------------

    async def test_an_idempotency_key_replays_the_same_body_and_refuses_another(self, bench: Bench) -> None:
        until = bench.now + 60 * MICROS
        first = await bench.add(idempotency=Idempotency("key", "hash", until))
        same = bench.job(idempotency=Idempotency("key", "hash", until))
        other = bench.job(idempotency=Idempotency("key", "another hash", until))
        assert await bench.insert(same, other) == [
            Receipt(first, Verdict.REPLAYED),
            Receipt(first, Verdict.KEY_REUSED),
        ]
        assert await bench.totals("created") == [1]

    async def test_one_insert_with_one_idempotency_key_twice_stores_one_job(self, bench: Bench) -> None:
        promise = Idempotency("key", "hash", bench.now + 60 * MICROS)
        first, second = bench.job(idempotency=promise), bench.job(idempotency=promise)
        assert await bench.insert(first, second) == [
            Receipt(first.id, Verdict.INSERTED),
            Receipt(first.id, Verdict.REPLAYED),
        ]

    async def test_the_same_enqueue_said_twice_exists_whatever_its_key_says(self, bench: Bench) -> None:
        job = bench.job(idempotency=Idempotency("key", "hash", bench.now + 60 * MICROS))
        await bench.insert(job)
        assert await bench.insert(job) == [Receipt(job.id, Verdict.EXISTS)]

    async def test_an_expired_idempotency_key_is_free_whether_pruned_or_not(self, bench: Bench) -> None:
        for _ in range(2):
            until = bench.now + 60 * MICROS
            await bench.add(idempotency=Idempotency("key", "hash", until))
            bench.clock.advance(60)
        await bench.store.prune(bench.now, 100)
        await bench.add(idempotency=Idempotency("key", "other", bench.now + MICROS))

    async def test_an_idempotency_key_outlives_its_job(self, bench: Bench) -> None:
        promise = Idempotency("key", "hash", bench.now + 10_000 * MICROS)
        job = await bench.start(idempotency=promise)
        await bench.finish(job)
        bench.clock.advance(1_000)
        assert await bench.store.prune(bench.now, 100) == 1
        assert await bench.insert(bench.job(idempotency=promise)) == [Receipt(job.id, Verdict.REPLAYED)]

    # -- unique keys -----------------------------------------------------------------------------

    async def test_a_unique_key_is_held_per_type_while_its_job_lives(self, bench: Bench) -> None:
        holder = await bench.add(unique_key="k")
        rival = bench.job(unique_key="k")
        assert await bench.insert(rival) == [Receipt(holder, Verdict.KEY_TAKEN)]
        await bench.add("mail", unique_key="k")
        await bench.add(unique_key="another")
        (claimed,) = (await bench.claim(limit=1)).jobs
        assert claimed.unique_key == "k"
        assert (await bench.insert(rival))[0].verdict is Verdict.KEY_TAKEN
        await bench.finish(claimed, What.FAILED, delay=1.0)
        assert await bench.insert(rival) == [Receipt(holder, Verdict.KEY_TAKEN)]

    @pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED], ids=str)
    async def test_a_unique_key_is_free_once_its_job_has_ended(self, bench: Bench, status: Status) -> None:
        await bench.bring(status, unique_key="k")
        await bench.add(unique_key="k")

    async def test_a_unique_key_is_free_once_its_job_was_lost_for_good_or_expired(self, bench: Bench) -> None:
        await bench.start(unique_key="k", max_attempts=1)
        await bench.bury(await bench.home())
        await bench.add(unique_key="k", expires_at=bench.now + MICROS)
        bench.clock.advance(1)
        assert await bench.store.expire(bench.now, 100) == 1
        await bench.add(unique_key="k")

    # -- bounds ----------------------------------------------------------------------------------

    async def test_a_full_queue_refuses_and_stores_nothing(self, bench: Bench) -> None:
        jobs = [bench.job(), bench.job(run_at=bench.now + MICROS), bench.job(), bench.job(queue="other")]
        verdicts = [receipt.verdict for receipt in await bench.insert(*jobs, max_pending=2)]
        assert verdicts == [Verdict.INSERTED, Verdict.INSERTED, Verdict.FULL, Verdict.INSERTED]
        assert await bench.store.get(jobs[2].id, bench.now) is None
        assert await bench.insert(jobs[2], max_pending=2) == [Receipt(jobs[2].id, Verdict.FULL)]

    async def test_a_full_queue_still_knows_what_it_has(self, bench: Bench) -> None:
        job = bench.job(unique_key="k", idempotency=Idempotency("key", "hash", bench.now + MICROS))
        await bench.insert(job, max_pending=1)
        replay = bench.job(idempotency=Idempotency("key", "hash", bench.now + MICROS))
        verdicts = [each.verdict for each in await bench.insert(job, replay, bench.job(unique_key="k"), max_pending=1)]
        assert verdicts == [Verdict.EXISTS, Verdict.REPLAYED, Verdict.KEY_TAKEN]

    async def test_each_queue_may_have_a_bound_of_its_own(self, bench: Bench) -> None:
        jobs = [bench.job(queue=queue) for queue in ("mail", "mail", "free", "free", "free", "x", "x", "x")]
        told = await bench.insert(*jobs, max_pending={"mail": 1, "free": 0, "": 2})
        full = [job.queue for job, receipt in zip(jobs, told, strict=True) if receipt.verdict is Verdict.FULL]
        assert full == ["mail", "x"]
        more = [bench.job(queue=queue) for queue in ("mail", "x")]
        told = await bench.insert(*more, max_pending={"mail": 1})
        assert [receipt.verdict for receipt in told] == [Verdict.FULL, Verdict.INSERTED]

    async def test_what_runs_or_has_ended_does_not_fill_a_queue(self, bench: Bench) -> None:
        await bench.start()
        await bench.bring(Status.COMPLETED)
        await bench.bring(Status.CANCELLED)
        # a store may look at the depth only once a second
        bench.clock.advance(2)
        job = bench.job()
        assert await bench.insert(job, max_pending=1) == [Receipt(job.id, Verdict.INSERTED)]

    # -- direct dispatch -------------------------------------------------------------------------

    async def test_an_insert_claims_in_the_same_step(self, bench: Bench) -> None:
        node = await bench.node()
        older = await bench.add()
        job, urgent = bench.job(), bench.job(priority=0)
        request = bench.request(node, limit=2)
        inserted = await bench.store.insert([job, urgent], bench.now, claim=request)
        assert inserted.batch is not None
        assert (inserted.batch.id, inserted.batch.claimed_at) == (request.batch, bench.now)
        assert [each.id for each in inserted.batch.jobs] == [urgent.id, older]
        assert [receipt.verdict for receipt in inserted.receipts] == [Verdict.INSERTED] * 2
        assert await bench.status(job.id) is Status.PENDING

    async def test_an_insert_without_a_claim_has_no_batch(self, bench: Bench) -> None:
        assert (await bench.store.insert([bench.job()], bench.now)).batch is None

    async def test_a_dead_nodes_insert_stores_nothing(self, bench: Bench) -> None:
        job = bench.job()
        with pytest.raises(NodeNotLive):
            await bench.store.insert([job], bench.now, claim=bench.request(NOBODY))
        assert await bench.store.get(job.id, bench.now) is None
        assert await bench.totals("created") == [0]
