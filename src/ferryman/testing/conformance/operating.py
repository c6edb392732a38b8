"""Operations: whom they mean, portion by portion, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from ferryman.domain.audit import Action
from ferryman.domain.bulk import KEPT, BulkAction, BulkStatus
from ferryman.domain.job import MICROS
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
