"""The chore that carries operations out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from ferryman.domain.bulk import BulkAction, BulkStatus
from ferryman.domain.errors import StoreBusy
from ferryman.domain.events import JobCancelledByRequest, JobRetriedByRequest
from ferryman.domain.job import MICROS
from ferryman.domain.state import Status
from ferryman.engine import operating
from ferryman.engine.operating import Operate
from ferryman.store import bulk
from ferryman.store.bulk import Advanced, BulkOperation, Portion, Wish
from ferryman.store.controlling import Placement
from ferryman.store.protocol import Declaration, JobFilter, NodeInfo, Page
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.test_sweeper import Rung
from tests.engine.world import Bench, pause


class Bells(Rung):
    """Notes the times, too."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[int] = []

    def scheduled(self, run_at: int) -> None:
        self.times.append(run_at)


def chore(bench: Bench, wakeup: Any = None) -> Operate:
    return Operate(bench.store, bench.clock, wakeup or Rung(), bench.world.events)


async def begin(bench: Bench, action: str = "cancel", filter: str = "type:*", **wish: Any) -> BulkOperation:
    asked = Wish(action=BulkAction(action), filter=filter, by="cli:anna", created_at=bench.clock.now(), **wish)
    operation = BulkOperation(id=bench.ids.mint(bench.clock.now()), wish=asked)
    await bench.store.add_operation(operation)
    return operation


async def read(bench: Bench, operation: BulkOperation) -> BulkOperation:
    found = await bench.store.operation(operation.id)
    assert found is not None
    return found


async def statuses(bench: Bench) -> list[Status]:
    return [job.status for job in await bench.store.list(JobFilter(limit=10_000), bench.clock.now())]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions of two jobs."""
    monkeypatch.setattr(bulk, "PORTION", 2)


async def last_for_ever() -> None:
    await pause(1e6)


async def pass_by() -> None:
    pass


def test_a_node_carries_an_operation_out_within_a_second() -> None:
    async def play() -> None:
        async with Bench(pass_by) as bench:
            await pause(5.0)
            ids = await bench.enqueue("foreign", count=1000)
            operation = await begin(bench)
            await pause(operating.LOOK)
            kept = await read(bench, operation)
            assert (kept.status, kept.changed) == (BulkStatus.COMPLETED, 1000)
            assert {job.status for job in await bench.jobs(ids)} == {Status.CANCELLED}

    run_virtual(play())


def test_a_run_is_told_to_end() -> None:
    async def play() -> None:
        async with Bench(last_for_ever) as bench:
            [id] = await bench.enqueue("last_for_ever")
            await pause(1.0)
            await begin(bench, "cancel", "status:processing")
            [ended] = await bench.until_ended(1)
            assert (ended.job.id, ended.finish.status) == (id, Status.CANCELLED)
            asked = [each for each in bench.events if isinstance(each, JobCancelledByRequest)]
            assert asked == [JobCancelledByRequest(id, "last_for_ever", "default", running=True)]

    run_virtual(play())


def test_what_is_sent_back_at_a_rate_starts_at_that_rate() -> None:
    async def play() -> None:
        async with Bench(pass_by) as bench:
            ids = await bench.enqueue("pass_by", count=4, run_at=bench.clock.now() + 3600 * MICROS)
            await begin(bench, "cancel")
            await pause(2.0)
            await begin(bench, "retry", "status:cancelled", rate=2.0)
            ended = await bench.until_ended(4)
            at = sorted(each.finish.finished_at for each in ended)
            assert [(each - at[0]) / MICROS for each in at] == pytest.approx([0.0, 0.5, 1.0, 1.5], abs=0.1)
            told = [each for each in bench.events if isinstance(each, JobRetriedByRequest)]
            assert [each.id for each in told] == ids

    run_virtual(play())


@pytest.mark.usefixtures("small")
def test_operations_have_their_turns() -> None:
    async def play() -> None:
        bench = Bench()
        await bench.enqueue("t", count=6)
        long, short = (
            await begin(bench, "cancel", "queue:default"),
            await begin(bench, "change", placement=Placement("s")),
        )
        operate = chore(bench)
        changed: list[int] = []
        for _ in range(4):
            assert await operate.step() == 0.0
            changed.append((await read(bench, long)).changed * 10 + (await read(bench, short)).changed)
        assert changed == [20, 22, 42, 42]
        assert await statuses(bench) == [Status.CANCELLED] * 2 + [Status.PENDING] * 2 + [Status.CANCELLED] * 2

    run_virtual(play())


def test_while_there_is_nothing_to_do_it_looks_now_and_then() -> None:
    async def play() -> None:
        assert await chore(Bench()).step() == operating.LOOK

    run_virtual(play())


@pytest.mark.usefixtures("small")
def test_one_that_somebody_else_moves_is_left_to_them() -> None:
    async def play() -> None:
        bench = Bench()
        await bench.enqueue("t", count=20)
        operation = await begin(bench)
        one, other = chore(bench), chore(bench)
        assert await one.step() == 0.0
        assert await other.step() == 0.0
        for _ in range(3):
            assert await one.step() == operating.LOOK, "the other one is at it"
            assert await other.step() == 0.0
        assert (await read(bench, operation)).step == 5
        await pause(operating.LOOK / 2)
        await one.step()
        await pause(operating.LOOK)
        assert await one.step() == 0.0, "the other one has gone"
        assert (await read(bench, operation)).step == 6

    run_virtual(play())


@pytest.mark.usefixtures("small")
def test_who_was_too_late_does_nothing_and_leaves_it_to_the_other() -> None:
    async def play() -> None:
        bench, rung = Bench(), Rung()
        await bench.enqueue("t", count=4)
        operation = await begin(bench)
        stale = [operation]

        async def running_operations(_limit: int) -> Sequence[BulkOperation]:
            return stale

        late = chore(bench, rung)
        await chore(bench).step()
        bench.store.running_operations = running_operations  # type: ignore[method-assign, assignment]
        assert await late.step() == 0.0
        assert (await read(bench, operation)).changed == 2
        assert rung.works == 0
        stale[:] = [await read(bench, operation)]
        assert await late.step() == operating.LOOK

    run_virtual(play())


@pytest.mark.usefixtures("small")
def test_after_a_lost_answer_it_goes_on_from_where_it_stands() -> None:
    async def play() -> None:
        bench = Bench()
        await bench.enqueue("t", count=4)
        operation = await begin(bench)
        operate, advance = chore(bench), bench.store.advance

        async def lost(*args: Any) -> Advanced | None:
            bench.store.advance = advance  # type: ignore[method-assign]
            await advance(*args)
            raise StoreBusy("lost")

        bench.store.advance = lost  # type: ignore[method-assign, assignment]
        with pytest.raises(StoreBusy):
            await operate.step()
        assert await operate.step() == operating.LOOK, "it has moved, nobody knows by whom"
        await pause(operating.LOOK)
        while (await read(bench, operation)).status is BulkStatus.RUNNING:
            assert await operate.step() == 0.0
        kept = await read(bench, operation)
        assert (kept.changed, kept.skipped) == (4, 0)

    run_virtual(play())


@pytest.mark.parametrize("filter", ["sta:tus", "status:completed"])
def test_what_cannot_be_read_has_failed(filter: str) -> None:
    async def play() -> None:
        bench = Bench()
        operation = await begin(bench, "cancel", filter)
        assert await chore(bench).step() == 0.0
        kept = await read(bench, operation)
        assert kept.status is BulkStatus.FAILED
        assert kept.error is not None
        assert kept.error.startswith("FM")

    run_virtual(play())


def test_what_breaks_has_failed_and_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        bench = Bench()
        operation = await begin(bench)

        async def list(_filter: JobFilter, _now: int) -> Page:
            raise ZeroDivisionError

        bench.store.list = list  # type: ignore[method-assign, assignment]
        assert await chore(bench).step() == 0.0
        kept = await read(bench, operation)
        assert (kept.status, kept.error is not None and "FM499" in kept.error) == (BulkStatus.FAILED, True)

    with caplog.at_level(logging.ERROR, "ferryman.engine"):
        run_virtual(play())
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_store_that_is_busy_fails_nothing() -> None:
    async def play() -> None:
        bench = Bench()
        operation = await begin(bench)
        bench.store.list = _busy  # type: ignore[method-assign, assignment]
        with pytest.raises(StoreBusy):
            await chore(bench).step()
        assert (await read(bench, operation)).status is BulkStatus.RUNNING

    run_virtual(play())


async def _busy(_filter: JobFilter, _now: int) -> Page:
    raise StoreBusy("busy")


def test_nobody_finds_out_a_secret_by_asking() -> None:
    async def play() -> None:
        bench = Bench()
        declared = {"t": Declaration(secrets=frozenset({"password"}))}
        info = NodeInfo("n", "host", 1, "0", frozenset({"t"}), None, 1, declared)
        await bench.store.register(info, bench.clock.now())
        await bench.enqueue("t", '{"password":"x","to":"x"}')
        asked, shown = await begin(bench, "cancel", "payload.password:x"), await begin(bench, "cancel", "payload.to:x")
        operate = chore(bench)
        for _ in range(2):
            await operate.step()
        assert [(await read(bench, each)).changed for each in (asked, shown)] == [0, 1]

    run_virtual(play())


def test_who_waits_for_what_is_put_off_is_told() -> None:
    async def play() -> None:
        bench, rung = Bench(), Bells()
        await bench.enqueue("t")
        await begin(bench, "change", placement=Placement(run_at=bench.clock.now() + MICROS))
        await chore(bench, rung).step()
        assert (rung.works, rung.times) == (1, [bench.clock.now()])

    run_virtual(play())


def test_an_ended_operation_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        bench = Bench()
        await begin(bench)
        await chore(bench).step()

    with caplog.at_level(logging.INFO, "ferryman.engine"):
        run_virtual(play())
    assert [record.getMessage().partition("(")[2] for record in caplog.records] == [
        "cancel) is completed: 0 changed, 0 skipped, of 0 examined."
    ]


def test_a_portion_without_jobs_moves_on() -> None:
    kept = BulkOperation(id="x", wish=Wish(action=BulkAction.CANCEL, filter="type:a", by="x", created_at=0))
    after = bulk.after_portion(kept, Portion(cursor="b", examined=5), 0, 1)
    assert (after.step, after.cursor, after.examined, after.status) == (1, "b", 5, BulkStatus.RUNNING)
