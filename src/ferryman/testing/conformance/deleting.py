"""delete: what has ended goes with all that was told of it, and nothing else does."""

from __future__ import annotations

import pytest

from ferryman.domain.job import Idempotency, JobError
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.domain.state import TERMINAL, Status
from ferryman.store.controlling import Deleted
from ferryman.store.protocol import Receipt, RetryResult, Verdict
from ferryman.testing.conformance.bench import Bench


class Deleting:
    """A person deletes one job."""

    @pytest.mark.parametrize("status", sorted(TERMINAL), ids=str)
    async def test_an_ended_job_goes_with_its_attempts(self, bench: Bench, status: Status) -> None:
        other, id = await bench.bring(Status.COMPLETED), await bench.bring(status)
        assert await bench.store.delete(id, bench.now) == Deleted(status, gone=True)
        assert await bench.store.get(id, bench.now) is None
        assert list(await bench.store.attempts(id)) == []
        assert [job.id for job in await bench.listed()] == [other]
        assert await bench.store.retry(id, bench.now) == RetryResult(None)
        assert await bench.store.delete(id, bench.now) == Deleted(None)
        assert await bench.totals("created") == [2]

    @pytest.mark.parametrize("status", [Status.PENDING, Status.SCHEDULED, Status.PROCESSING], ids=str)
    async def test_a_job_that_has_not_ended_stays(self, bench: Bench, status: Status) -> None:
        id = await bench.bring(status)
        assert await bench.store.delete(id, bench.now) == Deleted(status)
        assert await bench.status(id) is status

    async def test_what_nobody_knows_is_not_deleted(self, bench: Bench) -> None:
        assert await bench.store.delete(bench.job().id, bench.now) == Deleted(None)
        assert await bench.store.delete("no id", bench.now) == Deleted(None)
        hidden = await bench.bring(Status.COMPLETED)
        bench.clock.advance(1_000)
        assert await bench.store.delete(hidden, bench.now) == Deleted(None)

    async def test_a_late_finish_brings_nothing_back(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(2)]
        one, other = (await bench.claim()).jobs
        await bench.finish(one, What.FAILED, retryable=False, error=JobError("FM501", "E", "m"))
        early = await bench.store.delete(ids[0], bench.now)
        assert early.before is Status.FAILED
        late = await bench.write(bench.ended(one, What.DONE))
        assert late.fenced == {(one.id, one.number)}
        await bench.finish(other)
        if not early.gone:
            assert await bench.store.delete(ids[0], bench.now) == Deleted(Status.FAILED, gone=True)
        assert (await bench.write(bench.ended(one, What.DONE))).fenced == {(one.id, one.number)}
        assert [job.id for job in await bench.listed()] == [ids[1]]

    async def test_the_request_that_made_it_is_not_run_again(self, bench: Bench) -> None:
        promise = Idempotency("key", "hash", bench.now + 10**9)
        id = await bench.bring(Status.CANCELLED, idempotency=promise, unique_key="u")
        await bench.store.delete(id, bench.now)
        assert await bench.insert(bench.job(idempotency=promise)) == [Receipt(id, Verdict.REPLAYED)]
        assert [each.verdict for each in await bench.insert(bench.job(unique_key="u"))] == [Verdict.INSERTED]

    async def test_a_sequence_that_waited_for_it_goes_on(self, bench: Bench) -> None:
        gate = GateRule(concurrency=1, strict=True)
        first, second = [await bench.add(key="k", gate=gate) for _ in range(2)]
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        assert await bench.status(second) is Status.WAITING
        assert (await bench.store.delete(first, bench.now)).gone
        assert (await bench.claim_one()).id == second
