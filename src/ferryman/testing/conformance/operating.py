"""Operations: each job at most once, portion by portion, whoever says a portion and however often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
from msgspec.structs import replace

from ferryman.domain.audit import Action
from ferryman.domain.bulk import KEPT, BulkAction, BulkStatus
from ferryman.domain.job import MICROS
from ferryman.domain.keys import GateRule
from ferryman.domain.options import MAX_DELAY
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.store.auditing import AuditFilter
from ferryman.store.bulk import Advanced, BulkOperation, Portion, Wish
from ferryman.store.controlling import Placement
from ferryman.store.protocol import Store
from ferryman.testing.conformance.bench import HOUR, Bench
from ferryman.testing.conformance.deeds import deed_of

BY: Final = "cli:anna@host"
ONE: Final = GateRule(concurrency=1)
SLOW: Final = Placement(queue="slow")


async def begin(bench: Bench, action: str, filter: str = "type:*", **wish: Any) -> BulkOperation:
    """An operation that has begun."""
    asked = Wish(action=BulkAction(action), filter=filter, by=BY, created_at=bench.now, **wish)
    operation = BulkOperation(id=bench.ids.mint(bench.now), wish=asked)
    await bench.store.add_operation(operation)
    return operation


async def look(bench: Bench, operation: BulkOperation, **limits: Any) -> Portion:
    """What the next portion is, as a node finds it."""
    page = await bench.store.list(replace(operation.search(), **limits), bench.now)
    return operation.portion(page, bench.now)


async def advance(bench: Bench, operation: BulkOperation, store: Store | None = None, **limits: Any) -> Advanced:
    """One portion, which must count."""
    portion = await look(bench, operation, **limits)
    advanced = await (store or bench.store).advance(operation, portion, bench.now)
    assert advanced is not None
    assert advanced.operation == await bench.store.operation(operation.id)
    return advanced


async def carry_out(bench: Bench, operation: BulkOperation, **limits: Any) -> Sequence[str]:
    """All portions, to the end. Gives the ids of the jobs that were changed, in their order."""
    changed: list[str] = []
    while operation.status is BulkStatus.RUNNING:
        advanced = await advance(bench, operation, **limits)
        operation = advanced.operation
        changed += sorted(advanced.changed)
    return changed


def counts(operation: BulkOperation | None) -> tuple[int, int, int]:
    """What it tells of its progress."""
    assert operation is not None
    return operation.examined, operation.changed, operation.skipped


async def fail(bench: Bench, id: str) -> None:
    """Have a job that was sent back fail again."""
    job = await bench.claim_one()
    assert job.id == id
    await bench.finish(job, What.FAILED, retryable=False)


class Operating:
    """What an operation does to jobs."""

    async def test_failed_jobs_are_sent_back(self, bench: Bench) -> None:
        failed = [await bench.bring(Status.FAILED, max_attempts=1) for _ in range(3)]
        others = [await bench.bring(status) for status in (Status.CANCELLED, Status.COMPLETED)]
        operation = await begin(bench, "retry")
        assert await carry_out(bench, operation, limit=2) == failed
        ended = await bench.store.operation(operation.id)
        assert ended is not None
        assert (ended.status, ended.finished_at, ended.error) == (BulkStatus.COMPLETED, bench.now, None)
        assert counts(ended)[1:] == (3, 0)
        assert [await bench.status(id) for id in failed] == [Status.PENDING] * 3
        assert Status.PENDING not in [await bench.status(id) for id in others]
        assert (await bench.read(failed[0])).attempt == 0

    async def test_whatever_has_not_ended_is_cancelled(self, bench: Bench) -> None:
        running = await bench.start()
        waiting = [await bench.add(), await bench.bring(Status.SCHEDULED)]
        operation = await begin(bench, "cancel", "queue:default")
        assert await carry_out(bench, operation) == [running.id, *waiting]
        assert [await bench.status(id) for id in waiting] == [Status.CANCELLED] * 2
        assert await bench.store.cancellations(await bench.home()) == [(running.id, running.number)]
        await bench.finish(running, What.CANCELLED)

    async def test_what_has_ended_is_deleted(self, bench: Bench) -> None:
        gone = [await bench.bring(status) for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)]
        stays = await bench.add()
        assert await carry_out(bench, await begin(bench, "delete")) == gone
        assert [job.id for job in await bench.listed()] == [stays]

    async def test_jobs_that_wait_get_another_place(self, bench: Bench) -> None:
        ids = [await bench.add(), await bench.bring(Status.SCHEDULED), await bench.add()]
        operation = await begin(bench, "change", placement=Placement("slow", 2, bench.now + MICROS))
        assert await carry_out(bench, operation, limit=2) == ids
        read = [await bench.read(id) for id in ids]
        assert [(job.queue, job.priority, job.run_at) for job in read] == [("slow", 2, bench.now + MICROS)] * 3

    async def test_only_jobs_in_its_queues_are_meant(self, bench: Bench) -> None:
        await bench.add(queue="a")
        mine = await bench.add(queue="b")
        assert await carry_out(bench, await begin(bench, "cancel", queues=("b", "c"))) == [mine]

    async def test_what_is_made_after_its_beginning_is_left_alone(self, bench: Bench) -> None:
        old = await bench.add()
        operation = await begin(bench, "cancel")
        bench.clock.advance(1)
        new = await bench.add()
        assert await carry_out(bench, operation) == [old]
        assert await bench.status(new) is Status.PENDING

    async def test_it_tells_how_far_it_is(self, bench: Bench) -> None:
        for tags in ((), ("t",), ("t",)):
            await bench.add(tags=tags)
        operation = await begin(bench, "cancel", "tag:t")
        assert counts((await advance(bench, operation, limit=1)).operation) == (2, 1, 0)
        ended = await carry_out(bench, (await bench.store.operation(operation.id)) or operation)
        assert len(ended) == 1
        assert counts(await bench.store.operation(operation.id)) == (3, 2, 0)

    async def test_a_rate_spreads_them_over_time(self, bench: Bench) -> None:
        ids = [await bench.bring(Status.FAILED) for _ in range(3)]
        operation = await begin(bench, "retry", rate=2.0)
        half = MICROS // 2
        operation = (await advance(bench, operation, limit=2)).operation
        assert operation.next_at == bench.now + 2 * half
        assert [(await bench.read(id)).status for id in ids[:2]] == [Status.PENDING, Status.SCHEDULED]
        assert (await bench.read(ids[1])).run_at == bench.now + half
        bench.clock.advance(60)  # nobody was there: what was missed is not made up for
        assert (await advance(bench, operation)).operation.next_at == bench.now + half
        assert (await bench.read(ids[2])).status is Status.PENDING

    async def test_no_rate_leads_beyond_all_times(self, bench: Bench) -> None:
        ids = [await bench.bring(Status.FAILED) for _ in range(2)]
        await carry_out(bench, await begin(bench, "retry", rate=1 / MAX_DELAY))
        await carry_out(bench, await begin(bench, "cancel"))
        await carry_out(bench, await begin(bench, "retry", "status:cancelled", rate=1 / MAX_DELAY / 10))
        assert (await bench.read(ids[1])).run_at == bench.now + MAX_DELAY * MICROS

    async def test_it_is_written_down_who_has_changed_which_jobs(self, bench: Bench) -> None:
        ids = [await bench.add() for _ in range(3)]
        operation = await begin(bench, "cancel")
        await carry_out(bench, operation, limit=2)
        one, two = [each.deed for each in await bench.store.audit(AuditFilter(), None, 10)]
        told = {"operation": operation.id}
        assert (one.actor, one.action, one.target, one.detail) == (BY, Action.JOB_CANCEL, ids[2], told)
        assert (two.target, two.detail) == ("*", {**told, "count": 2, "first": ids[0], "last": ids[1]})


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


class KeepingOperations:
    """What is told of operations."""

    async def test_they_are_told_of_in_their_order(self, bench: Bench) -> None:
        first, second, third = [await begin(bench, "cancel") for _ in range(3)]
        await bench.store.cancel_operation(second.id, bench.now)
        told = await bench.store.operations(None, 2)
        assert [each.id for each in told] == [third.id, second.id]
        assert [each.id for each in await bench.store.operations(second.id, 2)] == [first.id]
        running = await bench.store.running_operations(5)
        assert [each.id for each in running] == [first.id, third.id]
        assert list(await bench.store.running_operations(1)) == [first]
        assert await bench.store.operation(bench.ids.mint(bench.now)) is None

    async def test_what_was_asked_for_comes_back_whole(self, bench: Bench) -> None:
        placement = Placement("slow", 3, bench.now)
        operation = await begin(bench, "change", 'payload.x:"ä b"', queues=("a", "b"), placement=placement)
        assert await bench.store.operation(operation.id) == operation
        operation = await begin(bench, "retry", rate=0.5)
        assert await bench.store.operation(operation.id) == operation

    async def test_said_again_it_begins_once(self, bench: Bench) -> None:
        operation = await begin(bench, "cancel")
        moved = (await advance(bench, operation)).operation
        await bench.store.add_operation(operation, deed=deed_of(bench))
        assert await bench.store.operation(operation.id) == moved
        assert list(await bench.store.audit(AuditFilter(), None, 10)) == []

    async def test_it_is_forgotten_long_after_its_end(self, bench: Bench) -> None:
        ended, runs = await begin(bench, "cancel"), await begin(bench, "cancel")
        await carry_out(bench, ended)
        bench.clock.advance(KEPT / MICROS - HOUR)
        await bench.store.prune(bench.now, 10)
        assert await bench.store.operation(ended.id) is not None
        bench.clock.advance(HOUR)
        await bench.store.prune(bench.now, 10)
        assert [each.id for each in await bench.store.operations(None, 5)] == [runs.id]
