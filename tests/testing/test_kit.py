"""`with app.testing() as queue`: jobs in memory, run when the test says so, in virtual time."""

from __future__ import annotations

import asyncio
import sys
import time
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ferryman import Ferryman, errors
from ferryman.testing.kit import TestQueue, runs
from tests.testing.kit_shop import START, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


# -- what is enqueued stays in the test --------------------------------------------------------------


def test_jobs_wait_in_memory_until_they_are_run(shop: Shop) -> None:
    with shop.app.testing() as queue:
        handle = shop.add.enqueue(1)
        assert handle.status() == "pending"
        assert queue.run_all() == 1
        assert handle.result() == 3
        [job] = queue.jobs()
        assert (job.type, job.payload, job.status, job.result, job.attempt) == ("add", {"a": 1}, "completed", 3, 1)
    assert not shop.database.exists()


def test_everything_enqueued_from_anywhere_arrives(shop: Shop) -> None:
    async def on_another_loop() -> None:
        await shop.note.aenqueue("b")
        await asyncio.gather(*(shop.note.aenqueue(f"c{i}") for i in range(20)))
        assert await shop.app.aenqueue_many([shop.note.call("d"), shop.note.call("e")]) == 2

    with shop.app.testing() as queue:
        shop.note.enqueue("a")
        asyncio.run(on_another_loop())
        assert shop.app.enqueue_many(shop.note.call("f") for _ in range(100)) == 100
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(shop.note.enqueue, "ghijklmn"))
        assert queue.run_all() == 1 + 21 + 2 + 100 + 8
    assert sorted(set(shop.did)) == sorted(["a", "b", *(f"c{i}" for i in range(20)), *"defghijklmn"])
    assert not shop.database.exists()


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads change places so often that what is not done in turn goes wrong."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_many_threads_enqueue_while_the_test_looks_and_runs(shop: Shop) -> None:
    def enqueue(_: int) -> None:
        for number in range(50):
            shop.add.enqueue(number)

    with shop.app.testing() as queue, ThreadPoolExecutor(4) as threads:
        enqueuing = [threads.submit(enqueue, thread) for thread in range(4)]
        while not all(each.done() for each in enqueuing):
            queue.jobs()
            queue.run_one()
        for each in enqueuing:
            each.result()
        queue.run_all()
        assert [job.status for job in queue.jobs()] == ["completed"] * 200


def test_afterwards_the_app_is_as_before(shop: Shop) -> None:
    with shop.app.testing():
        handle = shop.add.enqueue(1)
    with shop.app, pytest.raises(errors.JobNotFound):
        handle.status()
    assert shop.database.exists()


def test_each_entry_begins_with_no_jobs(shop: Shop) -> None:
    testing = shop.app.testing()
    for _ in range(2):
        with testing as queue:
            assert queue.jobs() == []
            shop.add.enqueue(1)


def test_two_queues_for_one_app_are_refused_and_the_first_goes_on(shop: Shop) -> None:
    with shop.app.testing() as queue:
        with pytest.raises(errors.AlreadyTesting, match=r"FM317.*Use the queue that is there"):
            shop.app.testing().__enter__()
        shop.add.enqueue(1)
        assert len(queue.jobs()) == 1


def test_two_apps_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, two = Shop(tmp_path), Shop(tmp_path)
    with one.app.testing() as first, two.app.testing() as second:
        one.add.enqueue(1)
        two.note.enqueue("x")
        assert [job.type for job in first.jobs()] == ["add"]
        assert [job.type for job in second.jobs()] == ["note"]
        assert second.run_all() == 1
        assert first.jobs()[0].status == "pending"


def test_other_settings_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_MAX_RESULT", "1024")
    app = Ferryman(max_pending=2)

    @app.job
    def large() -> str:
        return "x" * 2000

    with app.testing() as queue:
        large.enqueue()
        with pytest.raises(errors.ResultTooLarge, match=r"MAX_RESULT.*attempt 1 of 5"):
            queue.run_all()
        app.enqueue_many([large.call(), large.call()])
        with pytest.raises(errors.QueueFull):
            large.enqueue()


# -- running -----------------------------------------------------------------------------------------


def test_one_at_a_time_in_the_order_of_priority(shop: Shop) -> None:
    with shop.app.testing() as queue:
        shop.note.enqueue("later")
        shop.note.call("first").options(priority=0).enqueue()
        first = queue.run_one()
        assert first is not None
        assert (first.payload, first.status) == ({"what": "first"}, "completed")
        assert queue.run_one() is not None
        assert queue.run_one() is None
    assert shop.did == ["first", "later"]


def test_follow_ups_run_too_and_what_is_scheduled_does_not(shop: Shop) -> None:
    @shop.app.job
    async def parent() -> None:
        await shop.note.aenqueue("child")
        await shop.note.call("tomorrow").later(86400).aenqueue()

    with shop.app.testing() as queue:
        parent.enqueue()
        assert queue.run_all() == 2
        assert [job.payload["what"] for job in queue.jobs(status="scheduled")] == ["tomorrow"]


def test_work_that_goes_round_is_found_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs.BOUND == 10_000
    monkeypatch.setattr(runs, "BOUND", 1000)

    @shop.app.job
    async def again() -> None:
        await again.aenqueue()

    with shop.app.testing() as queue:
        again.enqueue()
        with pytest.raises(errors.WouldWaitForever, match=r"1,000 jobs.*go round"):
            queue.run_all()
        assert len(queue.jobs()) == 1001


def test_time_passes_only_when_told_and_makes_jobs_due(shop: Shop) -> None:
    with shop.app.testing(start=START) as queue:
        shop.note.call("in a minute").later(60).enqueue()
        shop.note.call("at two").at(START + timedelta(hours=2)).enqueue()
        queue.advance(59.999)
        assert queue.run_all() == 0
        queue.advance(0.001)
        assert queue.jobs(status="pending")[0].payload == {"what": "in a minute"}
        assert shop.did == []
        assert queue.run_all() == 1
        queue.advance(timedelta(hours=2))
        assert queue.run_all() == 1
        assert queue.now == START + timedelta(hours=2, minutes=1)


def test_the_clock_starts_at_the_present_unless_told_otherwise(shop: Shop) -> None:
    before = datetime.now(UTC)
    with shop.app.testing() as queue:
        assert before - timedelta(seconds=1) <= queue.now <= datetime.now(UTC)
    with pytest.raises(errors.BadOption, match="from 1970"):
        shop.app.testing(start=datetime(1969, 1, 1, tzinfo=UTC))
    with pytest.raises(errors.BadOption, match="time zone"):
        shop.app.testing(start=datetime(2030, 1, 1))  # noqa: DTZ001 - that is the point


def test_run_due_runs_each_job_at_its_time(shop: Shop) -> None:
    times: list[datetime] = []
    with shop.app.testing(start=START) as queue:

        @shop.app.job
        def tick(left: int) -> None:
            times.append(queue.now)
            if left:
                tick.call(left - 1).later(10).enqueue()

        tick.call(5).later(5).enqueue()
        shop.note.call("between").later(12).enqueue()
        assert queue.run_due(timedelta(seconds=30)) == 4
        assert times == [START + timedelta(seconds=after) for after in (5, 15, 25)]
        assert queue.now == START + timedelta(seconds=30)
        assert queue.run_due() == 0


def test_time_goes_forward_only(shop: Shop) -> None:
    with shop.app.testing() as queue:
        for wrong in (-1, float("nan"), "1"):
            with pytest.raises(errors.BadOption):
                queue.advance(wrong)  # type: ignore[arg-type]
            with pytest.raises(errors.BadOption):
                queue.run_due(wrong)  # type: ignore[arg-type]


def test_expiry_and_keys_are_real(shop: Shop) -> None:
    with shop.app.testing(start=START) as queue:
        shop.note.call("x").options(expires_at=START + timedelta(seconds=10)).enqueue()
        shop.add.call(1).options(unique_key="k").enqueue()
        with pytest.raises(errors.UniqueKeyTaken):
            shop.add.call(2).options(unique_key="k").enqueue()
        same = shop.add.call(1).options(idempotency_key="i")
        assert same.enqueue() == same.enqueue()
        queue.advance(10)
        assert queue.jobs(shop.note)[0].status == "cancelled"
        assert queue.run_all() == 2
        shop.add.call(2).options(unique_key="k").enqueue()


def test_ended_jobs_are_kept_however_far_the_clock_goes(shop: Shop) -> None:
    with shop.app.testing() as queue:
        handle = shop.add.enqueue(1)
        queue.run_all()
        queue.advance(timedelta(days=365))
        assert handle.result() == 3


# -- what would wait ---------------------------------------------------------------------------------


def test_a_result_that_nobody_runs_for_says_what_to_do(shop: Shop) -> None:
    with shop.app.testing() as queue:
        handle = shop.add.enqueue(1)
        with pytest.raises(errors.WouldWaitForever, match=r"FM316.*pending.*queue.run_all\(\)"):
            handle.result()
        with pytest.raises(errors.ResultTimeout, match=r"after 5 s.*queue.run_all\(\)"):
            handle.result(timeout=5)
        with pytest.raises(errors.WouldWaitForever, match="run_due"):
            shop.add.call(1).later(5).enqueue().result()
        with pytest.raises(errors.JobNotFound):
            shop.add.handle("01890a5d-ac96-774b-bcce-b302099a8057").result()
        queue.run_all()
        assert handle.result() == 3


def test_a_handler_that_waits_for_another_job_is_told(shop: Shop) -> None:
    @shop.app.job
    async def waits() -> None:
        await (await shop.add.aenqueue(1)).aresult()

    with shop.app.testing() as queue:
        waits.enqueue()
        with pytest.raises(errors.WouldWaitForever):
            queue.run_all()


def test_jobs_cannot_be_run_on_a_loop_or_inside_a_handler_of_theirs(shop: Shop) -> None:
    with shop.app.testing() as queue:

        async def on_a_loop() -> None:
            await shop.add.aenqueue(1)
            queue.assert_enqueued(shop.add, 1)
            with pytest.raises(errors.SyncInsideLoop, match=r"async with app.testing"):
                queue.run_all()

        asyncio.run(on_a_loop())

        @shop.app.job
        def inside() -> None:
            queue.run_all()

        inside.enqueue()
        with pytest.raises(errors.WouldWaitForever, match="runs just now"):
            queue.run_all()


def test_a_queue_is_left_on_a_running_loop_too(shop: Shop) -> None:
    @shop.app.job(timeout=None)
    async def leaves_a_task_behind() -> None:
        shop.did.append(asyncio.create_task(asyncio.sleep(3600)))
        await asyncio.to_thread(time.monotonic)

    async def main() -> None:
        with shop.app.testing() as queue:
            await leaves_a_task_behind.aenqueue()
            await asyncio.to_thread(queue.run_all)

    asyncio.run(main())
    assert shop.did[0].cancelled()


# -- other frames ------------------------------------------------------------------------------------


def test_in_a_unittest_test_case(tmp_path: Path) -> None:
    shop = Shop(tmp_path)

    class Case(unittest.TestCase):
        def setUp(self) -> None:
            self.queue: TestQueue = self.enterContext(shop.app.testing())

        def test_one(self) -> None:
            shop.note.enqueue("x")
            assert self.queue.run_all() == 1

        def test_two(self) -> None:
            assert self.queue.jobs() == []

    class AsyncCase(unittest.IsolatedAsyncioTestCase):
        async def test_one(self) -> None:
            queue = await self.enterAsyncContext(shop.app.testing())
            await shop.note.aenqueue("y")
            assert await queue.run_all() == 1

    result = unittest.TestResult()
    loader = unittest.TestLoader()
    for case in (Case, AsyncCase):
        loader.loadTestsFromTestCase(case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (3, [], [])
    assert shop.did == ["x", "y"]
