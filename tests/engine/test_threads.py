"""Handlers in threads: started late, reused, stopped, given up; and no raise ever reaches the wrong job."""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import pytest

from ferryman.domain.events import ThreadStuck
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.engine import threads
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import Context
from ferryman.engine.threads import HandlerThread, Stopped, ThreadCall
from tests.engine.world import Bench, turns

pytestmark = pytest.mark.anyio


def busy() -> None:
    """Never ends, but runs bytecode, so that an exception can be raised in it."""
    while True:
        pass


def stay(started: threading.Event, gate: threading.Event) -> None:
    """Says that it has started, then stays until the gate opens, wherever it is when it is raised in."""
    try:
        started.set()
        gate.wait()
    except BaseException:
        gate.wait()


async def test_a_thread_is_started_with_the_first_handler_that_needs_one_and_reused() -> None:
    seen: list[tuple[threading.Thread, str]] = []

    def job() -> None:
        seen.append((threading.current_thread(), threading.current_thread().name))

    async def noop() -> None:
        pass

    async with Bench(job, noop, workers=1, clock=SystemClock()) as bench:
        life = bench.node._life
        assert life is not None
        worker = life.pool._workers[1]
        await bench.enqueue("noop")
        await bench.until_ended(1)
        assert worker._thread is None
        await bench.enqueue("job", count=3)
        await bench.until_ended(4)
        assert {thread for thread, _ in seen} == {worker.thread()._thread}
        assert {name for _, name in seen} == {worker.id}
        assert all(thread.daemon for thread, _ in seen)
    seen[0][0].join(10)
    assert not seen[0][0].is_alive(), "it ends with its worker"


async def test_the_loop_goes_on_while_a_handler_blocks_its_thread() -> None:
    gate = threading.Event()

    def job() -> str:
        assert gate.wait(60)
        return "opened"

    async def opens() -> None:
        gate.set()

    async with Bench(job, opens, workers=2, clock=SystemClock()) as bench:
        await bench.enqueue("job")
        await bench.enqueue("opens")
        await bench.until_ended(2)
        assert {run.outcome.result for run in bench.ended} == {'"opened"', "null"}


async def test_a_timeout_raises_in_the_handler_and_the_thread_is_used_again() -> None:
    raised: list[str] = []
    idents: list[int] = []
    loop, started = asyncio.get_running_loop(), asyncio.Event()

    def job() -> None:
        idents.append(threading.get_ident())
        try:
            loop.call_soon_threadsafe(started.set)
            busy()
        except BaseException as error:
            raised.append(type(error).__name__)
            raise

    def after() -> None:
        idents.append(threading.get_ident())

    async with Bench(job, after, workers=1, clock=SystemClock()) as bench:
        await bench.enqueue("job", max_attempts=1)
        await started.wait()
        bench.time_is_up("job")
        await bench.enqueue("after")
        await bench.until_ended(2)
        first, second = bench.ended
        assert first.outcome.error is not None
        assert first.outcome.error.code == "FM502"
        assert raised == ["Stopped"]
        assert second.outcome.what is What.DONE
        assert len(set(idents)) == 1


async def test_a_cancel_request_stops_a_thread() -> None:
    started = threading.Event()

    def job(ctx: Context) -> None:
        started.set()
        while not ctx.cancelled:
            pass

    async with Bench(job, workers=1, clock=SystemClock()) as bench:
        (id,) = await bench.enqueue("job")
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
        await bench.store.cancel(id, bench.clock.now())
        bench.wakeup.cancelled(None)
        await bench.until_ended(1)
        assert bench.ended[0].outcome.what is What.CANCELLED


async def test_a_thread_that_will_not_end_is_given_up_and_replaced() -> None:
    started, gate = threading.Event(), threading.Event()

    def job() -> None:
        stay(started, gate)

    def after() -> None:
        pass

    async with Bench(job, after, workers=1, grace=0.02, clock=SystemClock()) as bench:
        (id,) = await bench.enqueue("job", max_attempts=1)
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
        bench.time_is_up("job")
        await bench.enqueue("after")
        await bench.until_ended(2)
        first, second = bench.ended
        assert first.outcome.error is not None
        assert first.outcome.error.code == "FM502"
        assert second.outcome.what is What.DONE
        (stuck,) = [event for event in bench.events if isinstance(event, ThreadStuck)]
        assert (stuck.job.id, stuck.worker) == (id, f"{bench.node.id}/worker-1")
        assert bench.node.stuck_threads == 1
        (thread,) = bench.node._life.pool._given_up  # type: ignore[union-attr]
        gate.set()
        thread._thread.join(10)
        assert bench.node.stuck_threads == 0
        await turns()
        assert (await bench.job(id)).status is Status.FAILED, "the late end counts for nothing"


async def test_a_stop_cuts_threads_off() -> None:
    started = threading.Event()

    def job() -> None:
        started.set()
        busy()

    bench = Bench(job, workers=1, stop_deadline=0.01, clock=SystemClock())
    async with bench:
        (id,) = await bench.enqueue("job")
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
    assert bench.ended[0].outcome.what is What.INTERRUPTED
    assert (await bench.job(id)).status is Status.PENDING
    assert bench.node.stuck_threads == 0


async def test_a_stop_gives_up_a_thread_that_will_not_end() -> None:
    started, gate = threading.Event(), threading.Event()

    def job() -> None:
        stay(started, gate)

    bench = Bench(job, workers=1, stop_deadline=0.01, last_grace=0.01, clock=SystemClock())
    async with bench:
        (id,) = await bench.enqueue("job")
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
    assert (await bench.job(id)).status is Status.PENDING
    assert bench.node.stuck_threads == 1
    gate.set()


async def test_a_worker_cancelled_from_outside_gives_its_thread_up() -> None:
    started, gate = threading.Event(), threading.Event()

    def job() -> None:
        started.set()
        gate.wait()

    def after() -> int:
        return 1

    async with Bench(job, after, workers=1, clock=SystemClock()) as bench:
        await bench.enqueue("job", max_attempts=1)
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
        (running,) = bench.node._life.pool.running()  # type: ignore[union-attr]
        running.slot.task.cancel()
        await bench.enqueue("after")
        await bench.until_ended(2)
        assert [run.outcome.what for run in bench.ended] == [What.FAILED, What.DONE]
        gate.set()


# -- the gate --------------------------------------------------------------------------------------


async def test_a_call_that_was_stopped_before_it_began_does_not_begin() -> None:
    called: list[bool] = []
    call = ThreadCall(lambda: called.append(True))
    assert call.stop()
    call.run()
    assert isinstance((await call.answer).error, Stopped)
    assert not called


async def test_a_call_that_has_ended_cannot_be_stopped() -> None:
    call = ThreadCall(lambda: 7)
    call.run()
    assert not call.stop()
    assert (await call.answer).value == 7


async def test_a_call_is_raised_in_once() -> None:
    thread = HandlerThread("test")
    begun, caught, go_on = threading.Event(), threading.Event(), threading.Event()

    def stubborn() -> str:
        try:
            begun.set()
            busy()
        except Stopped:
            caught.set()
        go_on.wait()
        return "went on"

    call = thread.call(stubborn)
    await asyncio.get_running_loop().run_in_executor(None, begun.wait)
    assert call.stop()
    await asyncio.get_running_loop().run_in_executor(None, caught.wait)
    assert call.stop()
    go_on.set()
    answer = await call.answer
    assert (answer.value, answer.error) == ("went on", None)
    thread.end()


async def test_a_raise_that_is_still_on_its_way_when_the_handler_ends_is_taken_by_its_own_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks: list[type[BaseException]] = []

    def mark(thread_id: int, error: type[BaseException]) -> None:
        marks.append(error)
        if len(marks) == 2:
            raise error

    monkeypatch.setattr(threads, "_raise_in", mark)
    call = ThreadCall(lambda: call.stop())  # the mark is set in the handler's last instruction
    call.run()
    assert (await call.answer).value is True
    assert marks == [Stopped, Stopped], "the second one replaces the first, and appears where it is expected"


async def test_a_raise_that_appears_after_the_handler_has_ended_does_not_change_its_answer() -> None:
    class Appears:
        """A gate in which the raise appears."""

        def release(self) -> None: ...

        def acquire(self) -> None:
            raise Stopped

    call = ThreadCall(lambda: "done")
    call._gate = Appears()  # type: ignore[assignment]
    call.run()
    assert (await call.answer).value == "done"


async def test_nothing_is_raised_in_a_call_that_nobody_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(threads, "_raise_in")
    call = ThreadCall(lambda: "done")
    call.run()
    assert (await call.answer).value == "done"


async def test_no_raise_ever_reaches_another_call_or_ends_the_thread() -> None:
    """Calls of random length, stopped at random moments: each ends by itself or by its own stop."""
    thread = HandlerThread("test")
    dice = random.Random(7)

    def work(rounds: int) -> int:
        total = 0
        for number in range(rounds):
            total += number
        return rounds

    stopped = 0
    for _ in range(3000):
        rounds = dice.choice([0, 1, 10, 100, 1000])
        call = thread.call(lambda rounds=rounds: work(rounds))  # type: ignore[misc]
        asked = dice.random() < 0.7
        if asked:
            for _ in range(dice.choice([0, 0, 50, 500])):
                pass
            call.stop()
        answer: Any = await call.answer
        if answer.error is None:
            assert answer.value == rounds
        else:
            assert isinstance(answer.error, Stopped)
            assert asked, "raised in a call that nobody stopped"
            stopped += 1
        assert thread.alive
    assert stopped > 0, "else this test shows nothing"
    thread.end()


async def test_an_answer_after_the_end_of_the_loop_is_dropped() -> None:
    gate, ended = threading.Event(), threading.Event()

    def late() -> None:
        gate.wait()

    def elsewhere() -> HandlerThread:
        loop = asyncio.new_event_loop()

        async def begin() -> HandlerThread:
            thread = HandlerThread("test")
            thread.call(late)
            return thread

        try:
            return loop.run_until_complete(begin())
        finally:
            loop.close()
            ended.set()

    thread = await asyncio.get_running_loop().run_in_executor(None, elsewhere)
    gate.set()
    thread.end()
    await asyncio.get_running_loop().run_in_executor(None, thread._thread.join, 10)
    assert not thread.alive
