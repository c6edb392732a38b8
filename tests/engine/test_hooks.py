"""Startup and shutdown hooks: when they are called, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ferryman.domain.errors import StartupFailed
from ferryman.engine import bounded
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.hooks import hooks_of
from tests.engine.stopping import for_ever, noop
from tests.engine.world import Bench, pause, turns

pytestmark = pytest.mark.anyio


def test_startup_hooks_run_before_anything_is_registered_and_shutdown_hooks_after_the_last_outcome() -> None:
    happened: list[str] = []

    async def play() -> None:
        bench = Bench(job, workers=1)
        hooks, store = hooks_of(bench), bench.store

        @hooks.on_startup
        def first() -> None:
            assert asyncio.get_running_loop() is bench.loop
            happened.append(f"first {store.calls}")

        @hooks.on_startup
        async def second() -> None:
            await pause(100.0)
            happened.append("second")

        @hooks.on_shutdown
        async def last() -> None:
            await pause(1.0)
            retired = "retire" in store.calls
            happened.append(f"last {(await bench.job(id)).status} {retired}")

        @hooks.on_shutdown
        def before_last() -> None:
            happened.append("before last")

        async with bench:
            (id,) = await bench.enqueue("job")
            await turns()
            assert happened == ["first []", "second", "job"]

    async def job() -> None:
        happened.append("job")
        await pause(2.0)

    run_virtual(play())
    assert happened[3:] == ["before last", "last completed True"]


@pytest.mark.parametrize("error", [OSError("no\nserver"), SystemExit(3), asyncio.CancelledError()])
def test_a_startup_hook_that_raises_ends_the_start_and_what_had_started_is_shut_down(error: BaseException) -> None:
    async def play() -> None:
        bench = Bench(noop)
        hooks = hooks_of(bench)
        happened: list[str] = []
        hooks.on_startup(lambda: happened.append("one"))

        @hooks.on_startup
        async def connects() -> None:
            await pause(1.0)
            raise error

        hooks.on_startup(lambda: happened.append("three"))
        hooks.on_shutdown(lambda: happened.append("end of one"))
        hooks.on_shutdown(lambda: happened.append("end of three"))
        with pytest.raises(StartupFailed) as caught:
            await bench.node.start()
        assert happened == ["one", "end of three", "end of one"]
        assert "connects" in caught.value.what
        assert "test_hooks.py" in caught.value.what
        assert type(error).__name__ in caught.value.why
        assert "raise error" in caught.value.why
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is error
        assert bench.store.calls == []
        await bench.node.stop()
        assert len(happened) == 3, "nothing is shut down twice"

    run_virtual(play())


def test_where_nothing_had_started_nothing_is_shut_down() -> None:
    async def play() -> None:
        bench = Bench(noop)
        happened: list[str] = []
        hooks_of(bench).on_startup(lambda: 1 / 0)
        hooks_of(bench).on_shutdown(lambda: happened.append("end"))
        with pytest.raises(StartupFailed, match="ZeroDivisionError"):
            await bench.node.start()
        assert not happened

    run_virtual(play())


def test_a_start_that_is_cancelled_is_no_failure_of_its_hook() -> None:
    async def play() -> None:
        bench = Bench(noop)
        hooks_of(bench).on_startup(for_ever)
        starting = asyncio.ensure_future(bench.node.start())
        await turns()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    run_virtual(play())


def test_a_shutdown_hook_that_fails_or_hangs_keeps_no_other_from_being_called(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def play() -> None:
        bench = Bench(noop)
        hooks = hooks_of(bench)
        happened: list[str] = []
        hooks.on_shutdown(lambda: happened.append("called"))

        @hooks.on_shutdown
        async def swallows() -> None:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    happened.append(f"told at {bench.loop.time() - stopped:g}")
                    if len(happened) > 5:
                        raise

        @hooks.on_shutdown
        async def hangs() -> None:
            await asyncio.Event().wait()

        @hooks.on_shutdown
        async def exits() -> None:
            await pause(1.0)
            raise SystemExit(7)

        await bench.node.start()
        stopped = bench.loop.time()
        await bench.node.stop()
        assert happened == ["told at 11", "called"]
        assert bench.loop.time() - stopped == pytest.approx(1.0 + 5.0 + 5.0 + bounded.GRACE)
        happened.extend(["", "", "", ""])  # lets it end

    with caplog.at_level(logging.ERROR, "ferryman.engine"):
        run_virtual(play())
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert "exits" in told[0]
    assert all("longer than 5 s" in line for line in told[1:])
