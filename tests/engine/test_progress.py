"""`ctx.progress`: the newest counts, it is written now and then and before the end, and nobody waits for it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ferryman import Secret
from ferryman.domain.errors import BadOption
from ferryman.domain.events import Events, ReportsFenced
from ferryman.domain.job import MICROS
from ferryman.domain.outcome import Run, What
from ferryman.domain.report import Progress, Report
from ferryman.engine.childrun import Elsewhere
from ferryman.engine.context import Context
from ferryman.engine.frames import Said
from ferryman.engine.notebook import Notebook
from ferryman.engine.pacing import WHILE, Pacing
from ferryman.engine.running import Running
from ferryman.engine.scribe import PERIOD, Scribe
from ferryman.store.reporting import Runs
from ferryman.testing.clock import EPOCH, ManualClock
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.processes import bench_of, payload, pipe_in, process_of
from tests.engine.world import Bench, claimed_job, handler, pause, turns


def said(done: float, total: float | None = None, message: str = "", seconds: float = 0.0) -> Progress:
    return Progress(done, total, message, EPOCH + round(seconds * MICROS))


async def progress_of(bench: Bench, id: str) -> Progress | None:
    told = await bench.store.progress(id)
    return None if told is None else told.progress


def test_what_a_run_says_can_be_read_while_it_is_under_way_and_after_it() -> None:
    async def job(ctx: Context) -> None:
        ctx.progress(1, 4, "begun")
        await pause(10.0)
        ctx.progress(4, 4, "done")

    async def play() -> None:
        async with Bench(job) as bench:
            (id,) = await bench.enqueue("job")
            await turns()
            assert await progress_of(bench, id) == said(1, 4, "begun"), "the first word is written at once"
            await bench.until_ended(1)
            assert await progress_of(bench, id) == said(4, 4, "done", 10.0)
            written = [each for each in bench.store.calls if each in ("report", "finish")]
            assert written == ["report", "report", "finish"], "the last word comes before the end"

    run_virtual(play())


def test_it_is_written_about_once_a_second_for_all_runs_at_once() -> None:
    async def job(ctx: Context) -> None:
        for n in range(1000):
            ctx.progress(n, 1000)
            await pause(0.01)

    async def play() -> None:
        async with Bench(job, workers=3) as bench:
            await bench.enqueue("job", count=3)
            await bench.until_ended(3)
            counts = [len(each) for each in bench.store.reports]
            assert counts[1:10] == [3] * 9
            assert len(counts) <= 10 / PERIOD + 4

    run_virtual(play())


def test_nothing_is_written_and_nothing_runs_while_nobody_says_anything() -> None:
    async def job() -> None:
        await pause(5.0)

    async def play() -> None:
        async with Bench(job) as bench:
            await bench.enqueue("job", count=4)
            await bench.until_ended(4)
            assert "report" not in bench.store.calls
            life = bench.node._life
            assert life is not None
            assert life._scribe._writing is None
            assert not life._scribe.notebook

    run_virtual(play())


@pytest.mark.anyio
async def test_threads_may_say_it_too() -> None:
    ready, go = threading.Event(), threading.Event()

    def job(ctx: Context) -> None:
        ctx.progress(1, 2)
        other = threading.Thread(target=ctx.progress, args=(2, 2, "from another thread"))
        other.start()
        other.join()
        ready.set()
        go.wait()

    async with bench_of(handler(job)) as bench:
        (id,) = await bench.enqueue("job")
        await asyncio.to_thread(ready.wait)
        go.set()
        await bench.until_ended(1)
        told = await progress_of(bench, id)
        assert told is not None
        assert (told.done, told.message) == (2, "from another thread")


def test_a_run_whose_claim_is_lost_is_neither_heard_nor_told() -> None:
    async def play() -> None:
        async def job(ctx: Context) -> None:
            await pause(5.0)
            ctx.progress(9, 9)
            await pause(5.0)
            ctx.progress(10, 9)

        async with Bench(job) as bench:
            (id,) = await bench.enqueue("job")
            await turns()
            await bench.store.cancel(id, bench.clock.now())
            assert await bench.store.force_cancel(bench.clock.now() + 1, bench.clock.now()) == 1
            await bench.until(lambda: bool(bench.fenced))
            assert await progress_of(bench, id) is None
            (event,) = [each for each in bench.events if isinstance(each, ReportsFenced)]
            assert [each.id for each in event.jobs] == [id]
            assert bench.store.calls.count("report") == 1, "once it was refused it is not heard any more"

    run_virtual(play())


def test_an_older_word_never_comes_after_a_newer_one() -> None:
    async def play() -> None:
        told = asyncio.Event()

        async def job(ctx: Context) -> None:
            ctx.progress(1)
            await told.wait()
            ctx.progress(2)

        async with Bench(job) as bench:
            gate = bench.store.hold("report")
            (id,) = await bench.enqueue("job")
            await turns()
            told.set()
            await turns()
            assert bench.store.calls.count("report") == 1, "the second one waits for the first one"
            gate.set_result(None)
            await bench.until_ended(1)
            assert await progress_of(bench, id) == said(2)

    run_virtual(play())


def test_a_run_that_was_given_up_is_not_heard_any_more() -> None:
    async def play() -> None:
        ended = asyncio.Event()

        async def job(ctx: Context) -> None:
            ctx.progress(1)
            while not ended.is_set():
                try:
                    await pause(100.0)
                except asyncio.CancelledError:
                    ctx.progress(2)
            ctx.progress(3)

        async with Bench(handler(job, timeout=1.0), grace=1.0) as bench:
            (id,) = await bench.enqueue("job", max_attempts=1)
            await bench.until_ended(1)
            assert await progress_of(bench, id) == said(2, None, "", 2.0)
            ended.set()
            await pause(100.0)
            assert await progress_of(bench, id) == said(2, None, "", 2.0)
            life = bench.node._life
            assert life is not None
            assert not life._scribe.notebook

    run_virtual(play())


def test_secrets_are_taken_out_and_long_texts_are_cut() -> None:
    async def job(ctx: Context, token: Secret[str]) -> None:
        ctx.progress(1, None, f"with {token.reveal()} \0 \ud800" + "x" * 9000)

    async def play() -> None:
        async with Bench(job) as bench:
            (id,) = await bench.enqueue("job", '{"token": "hunter22"}')
            await bench.until_ended(1)
            told = await progress_of(bench, id)
            assert told is not None
            assert told.message.startswith("with *** \\x00 \\ud800xxx")
            assert len(told.message) == 4096

    run_virtual(play())


@pytest.mark.parametrize(
    "wrong",
    [("1",), (True,), (-1,), (float("nan"),), (float("inf"),), (2**63,), (None,), (1, "2"), (1, -2), (1, 2, 3)],
    ids=repr,
)
def test_what_is_no_amount_and_no_text_is_refused(wrong: tuple[Any, ...]) -> None:
    async def play() -> None:
        async def job(ctx: Context) -> None:
            with pytest.raises(BadOption) as told:
                ctx.progress(*wrong)
            assert told.value.code == "FM311"

        async with Bench(job) as bench:
            await bench.enqueue("job")
            (run,) = await bench.until_ended(1)
            assert run.outcome.what is What.DONE

    run_virtual(play())


def runs_in_memory() -> int:
    return sum(type(each) is Running for each in gc.get_objects())


def test_ended_runs_leave_nothing_to_the_garbage_collector() -> None:
    async def job(ctx: Context) -> None:
        ctx.progress(1)

    async def plain() -> None:
        await pause(0.1)

    async def play() -> None:
        async with Bench(job, plain, workers=2) as bench:
            gc.collect()
            others = runs_in_memory()  # of tests before this one
            gc.disable()
            try:
                await bench.enqueue("job", count=50)
                await bench.enqueue("plain", count=50)
                await bench.until_ended(100)
                assert runs_in_memory() - others <= 4
            finally:
                gc.enable()

    run_virtual(play())


def test_what_was_said_before_a_run_was_given_up_is_not_lost_by_what_is_said_afterwards() -> None:
    running = Running(claimed_job(), Run(5), Elsewhere("w"), 0.0)
    notebook = Notebook(ManualClock(), lambda _: str)
    notebook.progress(running, 1, None, "")
    running.unheard = True
    notebook.progress(running, 2, None, "")
    [report] = notebook.news()
    assert report.progress is not None
    assert report.progress.done == 1


def test_a_run_that_has_committed_its_completion_reports_under_its_token() -> None:
    running = Running(claimed_job(), Run(5), Elsewhere("w"), 0.0)
    notebook = Notebook(ManualClock(), lambda _: str)
    notebook.progress(running, 1, None, "")
    assert [each.token for each in notebook.news()] == [5]
    running.completing = 6
    notebook.progress(running, 2, None, "")
    assert [each.token for each in notebook.news()] == [6]
    assert notebook.news() == []


class StoreInBetween:
    """The run writes its own outcome, by a transaction, between the look at what it says and the look at its claim."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.reports: list[Report] = []

    async def report(self, _node: int, reports: Sequence[Report]) -> Runs:
        self.reports += reports
        self._running.completing = 6
        return frozenset((each.id, each.number) for each in reports if each.token != 6)


def test_a_report_that_a_transaction_overtakes_is_said_again_and_is_not_fenced() -> None:
    async def play() -> None:
        running = Running(claimed_job(), Run(5), Elsewhere("w"), 0.0)
        store, events = StoreInBetween(running), Heard()
        scribe = Scribe(store, 1, ManualClock(), Events(events.listen), lambda _: str)  # type: ignore[arg-type]
        scribe.notebook.progress(running, 1, None, "")
        await scribe.step()
        await scribe.step()
        assert [(each.token, each.progress is None) for each in store.reports] == [(5, False), (6, False)]
        assert not scribe.notebook.has_news
        assert events.heard == []

    run_virtual(play())


def test_a_report_of_a_run_that_lost_its_claim_is_fenced_whatever_the_run_tried_to_write() -> None:
    async def play() -> None:
        running = Running(claimed_job(), Run(5), Elsewhere("w"), 0.0)
        running.completing = 7
        store, events = StoreInBetween(running), Heard()
        scribe = Scribe(store, 1, ManualClock(), Events(events.listen), lambda _: str)  # type: ignore[arg-type]
        scribe.notebook.progress(running, 1, None, "")
        running.completing = 6
        store.report = fencing  # type: ignore[method-assign]
        await scribe.step()
        assert [type(each) for each in events.heard] == [ReportsFenced]
        assert running.unheard

    run_virtual(play())


async def fencing(_node: int, reports: Sequence[Report]) -> Runs:
    return frozenset((each.id, each.number) for each in reports)


class Heard:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def listen(self, event: object) -> None:
        self.heard.append(event)


# -- in worker processes ---------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_worker_process_says_it_over_its_pipe() -> None:
    async with bench_of("reports") as bench:
        (id,) = await bench.enqueue("reports", payload(count=100_000))
        await bench.until_ended(1)
        told = await progress_of(bench, id)
        assert told is not None
        assert (told.done, told.total, told.message) == (100_000, 100_000, "step 99999")
        assert len(bench.store.reports) < 100


@pytest.mark.anyio
async def test_what_a_killed_process_said_before_is_kept(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("reports", log_capture=logging.INFO) as bench:
            (id,) = await bench.enqueue("reports", payload(count=1, path=pipe.path), max_attempts=1)
            assert await pipe.line() == "reported"
            os.kill(process_of(bench).pid, signal.SIGKILL)
            await bench.until_ended(1)
            told = await progress_of(bench, id)
            assert told is not None
            assert told.done == 1
            assert [each.line.message for each in (await bench.store.logs(id)).lines] == [f"I am {pipe.path}"]


class Paced:
    """A process's end of the pipe, with a timer that goes off when a test says so."""

    def __init__(self) -> None:
        self.sent: list[float] = []
        self.timers: list[Any] = []
        self.pacing = Pacing(self._send, lambda seconds, step: self.timers.append((seconds, step)))

    def _send(self, frame: Said) -> None:
        self.sent.append(frame.done)

    def say(self, done: float, *, ended: bool = False) -> None:
        running: Any = SimpleNamespace(ended=ended)
        self.pacing.progress(running, done, None, "")

    def wait(self) -> None:
        (seconds, step) = self.timers.pop()
        assert seconds == WHILE
        step()


def test_the_first_word_goes_at_once_and_the_newest_of_the_others_after_a_while() -> None:
    paced = Paced()
    for done in range(5):
        paced.say(done)
    assert paced.sent == [0]
    paced.wait()
    assert paced.sent == [0, 4]
    paced.wait()
    assert (paced.sent, paced.timers) == ([0, 4], [])
    paced.say(5)
    assert paced.sent == [0, 4, 5]


def test_the_last_word_goes_with_the_end_and_none_after_it() -> None:
    paced = Paced()
    paced.say(1)
    paced.say(2)
    paced.pacing.flush()
    paced.say(3, ended=True)
    paced.pacing.forget()
    paced.wait()
    assert paced.sent == [1, 2]
