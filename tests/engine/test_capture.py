"""What handlers log is kept with their runs: theirs only, within bounds, without secrets."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ferryman import Secret
from ferryman.domain.events import ReportsFenced
from ferryman.domain.outcome import What
from ferryman.engine.capture import RUN, Capture
from ferryman.engine.context import Context
from ferryman.engine.notebook import BYTES_KEPT, LINES_KEPT, Notebook
from ferryman.testing.clock import ManualClock
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.processes import bench_of, payload
from tests.engine.world import Bench, handler, pause, turns

shop = logging.getLogger("shop.mail")


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def capturing(*handlers: Any, **options: Any) -> Bench:
    return Bench(*handlers, **{"log_capture": logging.INFO, **options})


async def logged(bench: Bench, id: str) -> list[tuple[int, str, str]]:
    """(claim number, level, message) of each line."""
    lines = (await bench.store.logs(id)).lines
    return [(each.number, each.line.level, each.line.message) for each in lines]


async def messages(bench: Bench, id: str) -> list[str]:
    return [message for _, _, message in await logged(bench, id)]


def test_each_run_has_its_own_lines() -> None:
    async def job(ctx: Context, name: str) -> None:
        shop.info("hello %s", name)
        shop.debug("too quiet")
        await pause(1.0)
        ctx.log.warning("attempt of %s", name)
        if ctx.attempt == 1:
            raise ValueError(name)

    async def play() -> None:
        async with capturing(job) as bench:
            (one,) = await bench.enqueue("job", payload(name="one"))
            (two,) = await bench.enqueue("job", payload(name="two"))
            await bench.until_ended(4)
            for id, name in ((one, "one"), (two, "two")):
                told = [("info", f"hello {name}"), ("warning", f"attempt of {name}")]
                assert await logged(bench, id) == [(n, *each) for n in (1, 2) for each in told]
            first = (await bench.store.logs(one)).lines[0]
            assert (first.attempt, first.line.logger) == (1, "shop.mail")

    run_virtual(play())


def test_lines_can_be_read_while_the_run_is_under_way() -> None:
    async def job() -> None:
        for n in range(20):
            shop.info("step %d", n)
            await pause(1.0)

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            await pause(5.5)
            assert len(await messages(bench, id)) == 6
            await bench.until_ended(1)
            assert await messages(bench, id) == [f"step {n}" for n in range(20)]
            assert len(bench.store.reports) <= 21

    run_virtual(play())


def test_tasks_and_threads_with_the_runs_context_are_heard_and_others_are_not() -> None:
    def stranger() -> None:
        shop.info("a stranger")

    async def job() -> None:
        asyncio.get_running_loop().call_soon(shop.info, "a callback")
        await asyncio.create_task(asyncio.to_thread(shop.info, "a thread with the context"))
        other = threading.Thread(target=stranger)
        other.start()
        other.join()

    async def play() -> None:
        shop.info("nobody's")
        async with bench_of(handler(job), log_capture=logging.INFO) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            shop.info("nobody's")
            assert await messages(bench, id) == ["a callback", "a thread with the context"]

    asyncio.run(play())


def test_a_handler_in_a_thread_is_heard() -> None:
    def job() -> None:
        shop.info("from a thread")

    async def play() -> None:
        async with bench_of(handler(job), log_capture=logging.INFO) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            assert await messages(bench, id) == ["from a thread"]

    asyncio.run(play())


def test_a_worker_process_is_heard_through_its_pipe() -> None:
    async def play() -> None:
        async with bench_of("reports", "double", log_capture=logging.INFO) as bench:
            (first,) = await bench.enqueue("double", payload(n=1))
            await bench.until_ended(1)
            (id,) = await bench.enqueue("reports", payload(count=1))
            await bench.until_ended(2)
            assert await logged(bench, id) == [(1, "warning", "I am done")]
            assert await logged(bench, first) == []

    asyncio.run(play())


def test_nothing_is_kept_where_capture_is_off(caplog: pytest.LogCaptureFixture) -> None:
    async def job() -> None:
        shop.error("loud")

    async def play() -> None:
        before = list(logging.getLogger().handlers)
        async with capturing(job, log_capture=None) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            assert logging.getLogger().handlers == before
            assert await messages(bench, id) == []
            assert "report" not in bench.store.calls

    run_virtual(play())
    assert "loud" in caplog.messages


def test_a_node_that_has_stopped_leaves_the_log_as_it_was() -> None:
    async def play() -> None:
        before = list(logging.getLogger().handlers)
        async with capturing():
            assert len(logging.getLogger().handlers) == len(before) + 1
        assert logging.getLogger().handlers == before

    run_virtual(play())


def test_two_nodes_in_one_process_keep_their_own_lines_once() -> None:
    async def job() -> None:
        shop.info("once")

    async def play() -> None:
        async with capturing(job) as one, capturing(job) as two:
            ids = [(bench, (await bench.enqueue("job"))[0]) for bench in (one, two)]
            for bench, id in ids:
                await bench.until_ended(1)
                assert await messages(bench, id) == ["once"]

    run_virtual(play())


def test_the_first_lines_are_kept_and_the_others_counted() -> None:
    async def job() -> None:
        for n in range(100_000):
            shop.info("line %d", n)

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            logs = await bench.store.logs(id)
            assert [each.line.message for each in logs.lines] == [f"line {n}" for n in range(LINES_KEPT)]
            assert logs.dropped == 100_000 - LINES_KEPT

    run_virtual(play())


def test_bytes_are_bounded_and_no_line_follows_one_that_was_dropped() -> None:
    async def job() -> None:
        for n in range(100):
            shop.info("%d %s", n, "é" * 1000)
        shop.info("short")

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            logs = await bench.store.logs(id)
            size = sum(len(each.line.message.encode()) for each in logs.lines)
            assert BYTES_KEPT - 2010 < size <= BYTES_KEPT
            assert [each.place for each in logs.lines] == list(range(len(logs.lines)))
            assert logs.dropped == 101 - len(logs.lines)
            assert all(each.line.message != "short" for each in logs.lines)

    run_virtual(play())


def test_a_traceback_is_kept_with_its_line() -> None:
    async def job() -> None:
        try:
            raise ValueError("no such address")
        except ValueError:
            shop.exception("not sent")
        shop.error("odd", exc_info=(None, None, None))

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            first, second = await messages(bench, id)
            assert first.startswith("not sent\nTraceback (most recent call last):\n")
            assert first.rstrip().endswith("ValueError: no such address")
            assert second == "odd"

    run_virtual(play())


def test_secrets_are_taken_out_of_messages_and_tracebacks() -> None:
    async def job(token: Secret[str]) -> None:
        try:
            raise ValueError(token.reveal())
        except ValueError:
            shop.exception("with %s", token.reveal())

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job", payload(token="hunter22"))
            await bench.until_ended(1)
            (text,) = await messages(bench, id)
            assert "hunter22" not in text
            assert text.startswith("with ***\n")
            assert text.rstrip().endswith("ValueError: ***")

    run_virtual(play())


def test_a_record_that_cannot_be_shown_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    async def job() -> None:
        logging.getLogger("ferryman.odd").handle(
            logging.makeLogRecord({"levelno": logging.INFO, "levelname": "I\0", "msg": "%s", "args": (Broken(),)})
        )
        shop.info("\ud800 \0")

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            (run,) = await bench.until_ended(1)
            assert run.outcome.what is What.DONE
            assert await messages(bench, id) == ["\\ud800 \\x00"]

    with nobody_else_listens():
        run_virtual(play())
    assert "RuntimeError: no" in capsys.readouterr().err


def test_a_run_that_lost_its_claim_keeps_nothing_more() -> None:
    async def job() -> None:
        shop.info("one")
        await pause(5.0)
        shop.info("two")
        await pause(5.0)
        shop.info("three")

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            await pause(1.0)
            await bench.store.cancel(id, bench.clock.now())
            await bench.store.force_cancel(bench.clock.now() + 1, bench.clock.now())
            await bench.until(lambda: bool(bench.fenced))
            assert await messages(bench, id) == ["one"]
            assert sum(isinstance(each, ReportsFenced) for each in bench.events) == 1

    run_virtual(play())


def test_what_a_handler_left_behind_says_after_the_end_is_not_heard() -> None:
    async def job(ctx: Context) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, shop.info, "too late")
        loop.call_later(1.0, ctx.progress, 1)

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            await pause(2.0)
            assert await messages(bench, id) == []
            assert "report" not in bench.store.calls
            assert not any(isinstance(each, ReportsFenced) for each in bench.events)

    run_virtual(play())


def test_what_the_node_says_for_itself_is_not_what_a_run_says() -> None:
    async def job() -> None:
        shop.info("one")
        await pause(5.0)

    async def play() -> None:
        async with capturing(job) as bench:
            (id,) = await bench.enqueue("job")
            bench.store.fail("report", OSError("odd"), times=1)
            await turns()
            await bench.until_ended(1)
            assert all("refused" not in each for each in await messages(bench, id))

    run_virtual(play())


def test_warnings_go_to_standard_error_as_if_nobody_listened(capsys: pytest.CaptureFixture[str]) -> None:
    async def play() -> None:
        capture = Capture(Notebook(ManualClock(), lambda _: str), logging.INFO)
        await capture.start()
        try:
            shop.warning("hear me")
            shop.info("not me")
        finally:
            await capture.stop()

    with nobody_else_listens():
        asyncio.run(play())
    assert capsys.readouterr().err == "hear me\n"
    assert RUN.get() is None


def test_warnings_go_there_too_where_only_errors_are_kept_and_where_two_nodes_listen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def play() -> None:
        captures = [Capture(Notebook(ManualClock(), lambda _: str), logging.ERROR) for _ in range(2)]
        for each in captures:
            await each.start()
        try:
            shop.warning("hear me")
            shop.error("once")
        finally:
            for each in captures:
                await each.stop()

    with nobody_else_listens():
        asyncio.run(play())
    assert capsys.readouterr().err == "hear me\nonce\n"


def test_only_lines_of_its_level_are_kept() -> None:
    async def job() -> None:
        shop.warning("not so bad")
        shop.error("bad")

    async def play() -> None:
        async with capturing(job, log_capture=logging.ERROR) as bench:
            (id,) = await bench.enqueue("job")
            await bench.until_ended(1)
            assert await messages(bench, id) == ["bad"]

    run_virtual(play())


def test_a_thread_whose_line_takes_long_to_make_holds_up_no_other() -> None:
    class Slow:
        def __str__(self) -> str:
            made.set()
            return str(others_are_done.wait(60))

    made, others_are_done = threading.Event(), threading.Event()

    def job(slow: bool) -> None:
        if slow:
            shop.info("%s", Slow())
        else:
            made.wait(60)
            shop.info("quick")
            others_are_done.set()

    async def play() -> None:
        async with bench_of(handler(job), log_capture=logging.INFO, workers=2) as bench:
            (slow,) = await bench.enqueue("job", payload(slow=True))
            (quick,) = await bench.enqueue("job", payload(slow=False))
            await bench.until_ended(2)
            assert (await messages(bench, slow), await messages(bench, quick)) == (["True"], ["quick"])

    with nobody_else_listens():
        asyncio.run(play())


@contextmanager
def nobody_else_listens() -> Iterator[None]:
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        yield
    finally:
        root.handlers = before
