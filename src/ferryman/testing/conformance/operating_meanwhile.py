"""Operations while jobs change, portions are said again, or two are at it: each job at most once."""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from ferryman.domain.bulk import BulkStatus
from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.auditing import AuditFilter
from ferryman.store.bulk import Portion
from ferryman.store.controlling import Placement
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.operating import advance, begin, carry_out, counts, look

ONE: Final = GateRule(concurrency=1)
SLOW: Final = Placement(queue="slow")


async def fail(bench: Bench, id: str) -> None:
    """Have a job that was sent back fail again."""
    job = await bench.claim_one()
    assert job.id == id
    await bench.finish(job, What.FAILED, retryable=False)


class OperatingOnWhatChanges:
    """Jobs that are not as they were found, or to which it cannot be done."""

    @pytest.mark.parametrize("action", ["retry", "cancel", "delete", "change"])
    async def test_a_job_that_has_changed_is_skipped(self, bench: Bench, action: str) -> None:
        status = Status.FAILED if action in ("retry", "delete") else Status.PENDING
        ids = [await bench.bring(status, max_attempts=1) for _ in range(2 if status is Status.FAILED else 1)]
        operation = await begin(bench, action, placement=SLOW)
        portion = await look(bench, operation)
        if status is Status.FAILED:
            await bench.store.retry(ids[0], bench.now)
            await bench.store.cancel(ids[0], bench.now)
        else:
            await bench.store.place(ids, Placement(priority=0), bench.now)
        advanced = await bench.store.advance(operation, portion, bench.now)
        assert advanced is not None
        assert list(advanced.changed) == ids[1:]
        assert counts(advanced.operation)[1:] == (len(ids) - 1, 1)

    @pytest.mark.parametrize("action", ["retry", "cancel", "delete", "change"])
    async def test_a_job_that_is_gone_is_skipped(self, bench: Bench, action: str) -> None:
        status = Status.FAILED if action in ("retry", "delete") else Status.PENDING
        id = await bench.bring(status)
        operation = await begin(bench, action, placement=SLOW)
        portion = await look(bench, operation)
        await bench.store.cancel(id, bench.now)
        await bench.store.delete(id, bench.now)
        advanced = await bench.store.advance(operation, portion, bench.now)
        assert advanced is not None
        assert (list(advanced.changed), counts(advanced.operation)[1:]) == ([], (0, 1))
        assert list(await bench.store.audit(AuditFilter(), None, 10)) == []

    async def test_a_run_that_has_ended_is_not_cancelled(self, bench: Bench) -> None:
        one, other = await bench.start(), await bench.start()
        operation = await begin(bench, "cancel")
        portion = await look(bench, operation)
        await bench.finish(one)
        advanced = await bench.store.advance(operation, portion, bench.now)
        assert advanced is not None
        assert (list(advanced.changed), await bench.status(one.id)) == ([other.id], Status.COMPLETED)
        await bench.finish(other, What.CANCELLED)

    async def test_a_job_whose_unique_key_is_taken_is_not_sent_back(self, bench: Bench) -> None:
        taken, free, other = [await bench.bring(Status.FAILED, unique_key=key) for key in ("a", "b", None)]
        await bench.add(unique_key="a")
        operation = await begin(bench, "retry")
        assert await carry_out(bench, operation) == [free, other]
        assert counts(await bench.store.operation(operation.id))[1:] == (2, 1)
        assert await bench.status(taken) is Status.FAILED

    async def test_two_of_one_unique_key_are_not_both_sent_back(self, bench: Bench) -> None:
        first, second = [await bench.bring(Status.FAILED, unique_key="a") for _ in range(2)]
        assert await carry_out(bench, await begin(bench, "retry")) == [first]
        assert await bench.status(second) is Status.FAILED

    async def test_a_job_with_a_key_keeps_its_place(self, bench: Bench) -> None:
        keyed, plain = await bench.add(key="k", gate=ONE), await bench.add()
        operation = await begin(bench, "change", placement=SLOW)
        assert await carry_out(bench, operation) == [plain]
        assert counts(await bench.store.operation(operation.id))[1:] == (1, 1)
        assert (await bench.read(keyed)).queue == "default"

    async def test_a_job_that_was_claimed_with_others_may_stay(self, bench: Bench) -> None:
        for _ in range(2):
            await bench.add()
        one, other = (await bench.claim()).jobs
        await bench.finish(one)
        operation = await begin(bench, "delete")
        gone = await carry_out(bench, operation)
        assert counts(await bench.store.operation(operation.id))[1:] == (len(gone), 1 - len(gone))
        assert (await bench.write(bench.ended(one, What.DONE))).fenced == {(one.id, one.number)}
        await bench.finish(other)

    async def test_a_cancel_makes_room_at_a_gate(self, bench: Bench) -> None:
        ids = [await bench.add(key="k", gate=ONE, queue=queue) for queue in ("a", "b", "a")]
        await carry_out(bench, await begin(bench, "cancel", "queue:a"))
        found = [await bench.status(id) for id in ids]
        assert found == [Status.CANCELLED, Status.PENDING, Status.CANCELLED]

    async def test_a_retry_stands_before_its_gate(self, bench: Bench) -> None:
        ids = [await bench.bring(Status.FAILED, key="k", gate=ONE) for _ in range(2)]
        assert await carry_out(bench, await begin(bench, "retry")) == ids
        assert [await bench.status(id) for id in ids] == [Status.PENDING, Status.WAITING]

    async def test_a_sequence_goes_on_when_what_it_waited_for_is_deleted(self, bench: Bench) -> None:
        gate = GateRule(concurrency=1, strict=True)
        first, second = [await bench.add(key="k", gate=gate) for _ in range(2)]
        await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
        assert await carry_out(bench, await begin(bench, "delete")) == [first]
        assert await bench.status(second) is Status.PENDING


class OperatingOnce:
    """No portion counts twice."""

    async def test_each_job_is_visited_once_even_if_it_fits_again(self, bench: Bench) -> None:
        ids = [await bench.bring(Status.FAILED, max_attempts=1) for _ in range(3)]
        operation = await begin(bench, "retry")
        for id in ids:
            operation = (await advance(bench, operation, limit=1)).operation
            await fail(bench, id)
        assert (await advance(bench, operation, limit=1)).operation.status is BulkStatus.COMPLETED
        assert [await bench.status(id) for id in ids] == [Status.FAILED] * 3
        assert await bench.totals("retried") == [3]

    async def test_a_portion_that_is_said_again_changes_nothing(self, bench: Bench) -> None:
        id, _ = [await bench.bring(Status.FAILED, max_attempts=1) for _ in range(2)]
        operation = await begin(bench, "retry")
        portion = await look(bench, operation, limit=1)
        assert await bench.store.advance(operation, portion, bench.now) is not None
        kept = await bench.store.operation(operation.id)
        await fail(bench, id)
        # the answer was lost, and the job has failed again since
        again = operation.portion(await bench.store.list(operation.search(), bench.now), bench.now)
        for stale in (portion, again):
            assert await bench.store.advance(operation, stale, bench.now) is None
        assert await bench.status(id) is Status.FAILED
        assert await bench.store.operation(operation.id) == kept
        assert await bench.totals("retried") == [1]
        assert len(await bench.store.audit(AuditFilter(), None, 10)) == 1

    async def test_of_two_who_are_at_it_one_wins(self, bench: Bench) -> None:
        ids = [await bench.bring(Status.FAILED, max_attempts=1) for _ in range(2)]
        other = await bench.harness.another()
        operation = await begin(bench, "retry")
        slow = await look(bench, operation)
        quick = (await advance(bench, operation, other, limit=1)).operation
        await fail(bench, ids[0])
        assert await bench.store.advance(operation, slow, bench.now) is None
        assert [await bench.status(id) for id in ids] == [Status.FAILED] * 2
        assert await carry_out(bench, quick) == ids[1:]

    async def test_one_that_has_ended_does_nothing_more(self, bench: Bench) -> None:
        await bench.add()
        operation = await begin(bench, "cancel")
        await carry_out(bench, operation)
        ended = await bench.store.operation(operation.id)
        assert ended is not None
        assert await bench.store.advance(ended, Portion(), bench.now) is None
        assert await bench.store.advance(replace(ended, id=bench.ids.mint(bench.now)), Portion(), bench.now) is None

    async def test_one_that_was_stopped_does_nothing_more(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(2)]
        operation = (await advance(bench, await begin(bench, "cancel"), limit=1)).operation
        portion = await look(bench, operation)
        bench.clock.advance(1)
        assert await bench.store.cancel_operation(operation.id, bench.now) is BulkStatus.RUNNING
        stopped = await bench.store.operation(operation.id)
        assert stopped is not None
        assert (stopped.status, stopped.finished_at) == (BulkStatus.CANCELLED, bench.now)
        for read in (operation, stopped):
            assert await bench.store.advance(read, portion, bench.now) is None
        assert await bench.status(ids[1]) is Status.PENDING
        assert await bench.store.cancel_operation(operation.id, bench.now) is BulkStatus.CANCELLED
        assert await bench.store.operation(operation.id) == stopped
        assert await bench.store.cancel_operation(bench.ids.mint(bench.now), bench.now) is None

    async def test_one_that_cannot_be_carried_out_has_failed(self, bench: Bench) -> None:
        operation = await begin(bench, "cancel")
        advanced = await bench.store.advance(operation, Portion(error="Why."), bench.now)
        assert advanced is not None
        kept = advanced.operation
        assert (kept.status, kept.error, kept.finished_at) == (BulkStatus.FAILED, "Why.", bench.now)
