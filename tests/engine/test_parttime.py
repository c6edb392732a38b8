"""The loop that turns only while somebody has work for it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from ferryman.engine import parttime
from ferryman.engine.parttime import PartTimeLoop
from ferryman.engine.threads import Stopped


@pytest.fixture
def loop() -> Iterator[PartTimeLoop]:
    loop = PartTimeLoop()
    yield loop
    loop.close()


async def noop() -> None:
    pass


async def both(loop: PartTimeLoop, *functions: Any) -> list[Any]:
    return [await loop.aside(each) for each in functions]


def raises(error: BaseException) -> Any:
    def function() -> None:
        raise error

    return function


def test_what_is_called_aside_runs_in_the_same_thread_where_no_loop_runs(loop: PartTimeLoop) -> None:
    def function() -> int:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return threading.get_ident()

    assert loop.run(both(loop, function, lambda: asyncio.run(noop()))) == [threading.get_ident(), None]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), Stopped(), asyncio.CancelledError()])
def test_what_is_raised_aside_or_on_the_loop_comes_out_and_the_loop_can_be_used_again(
    loop: PartTimeLoop, error: BaseException
) -> None:
    async def raising() -> None:
        raise error

    for coroutine in (both(loop, raises(error)), raising()):
        with pytest.raises(type(error)) as caught:
            loop.run(coroutine)
        assert caught.value is error
    assert loop.run(both(loop, lambda: 1)) == [1]


def test_what_was_begun_on_the_loop_stands_still_meanwhile_and_goes_on_later(loop: PartTimeLoop) -> None:
    happened: list[int] = []

    async def steps() -> None:
        for number in range(50):
            happened.append(number)
            await asyncio.sleep(0)

    async def begin() -> None:
        tasks.append(asyncio.create_task(steps()))
        await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    loop.run(begin())
    assert 0 < len(happened) < 50
    before, after = loop.run(both(loop, lambda: len(happened), lambda: len(happened)))
    assert before <= after < 50
    loop.run(asyncio.wait_for(_ended(tasks[0]), 60))
    assert len(happened) == 50


async def _ended(task: asyncio.Task[None]) -> None:
    await task


def test_a_cancel_ends_what_is_run_once_and_calls_nothing_aside_any_more(loop: PartTimeLoop) -> None:
    called: list[int] = []

    async def patient() -> None:
        assert loop.cancel()
        assert loop.cancel()
        for _ in range(2):
            try:
                await loop.aside(lambda: called.append(1))
            except (asyncio.CancelledError, Stopped) as error:
                caught.append(type(error))

    caught: list[type[BaseException]] = []
    assert not loop.cancel(), "nothing is run"
    loop.run(patient())
    assert caught == [asyncio.CancelledError, Stopped]
    assert not called


def test_where_a_function_is_called_aside_the_caller_has_to_raise_instead(loop: PartTimeLoop) -> None:
    def asked_to_end() -> None:
        assert not loop.cancel()
        raise Stopped

    with pytest.raises(Stopped):
        loop.run(both(loop, asked_to_end, lambda: pytest.fail("It has been stopped.")))


def test_a_coroutine_that_is_cancelled_before_it_began_is_closed(loop: PartTimeLoop) -> None:
    async def leave() -> None:
        asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(cancel))

    def cancel() -> None:
        assert loop._task is not None
        assert loop._task.cancel()

    loop.run(leave())
    with pytest.raises(asyncio.CancelledError):
        loop.run(noop())


def test_a_systemexit_of_another_task_ends_what_is_run(loop: PartTimeLoop) -> None:
    ended: list[bool] = []

    async def exits() -> None:
        raise SystemExit(3)

    async def waits() -> None:
        task = asyncio.create_task(exits())
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(task.done())

    with pytest.raises(SystemExit):
        loop.run(waits())
    loop.run(both(loop, lambda: None, lambda: None))
    assert ended == [True]


def test_a_loop_that_was_never_needed_has_nothing_to_close() -> None:
    PartTimeLoop().close()


def test_a_function_for_which_nobody_waits_any_more_is_not_called(loop: PartTimeLoop) -> None:
    called: list[int] = []

    async def cancels(task: asyncio.Task[Any]) -> None:
        task.cancel()

    async def changes_its_mind() -> None:
        waiting = asyncio.create_task(loop.aside(lambda: called.append(1)))
        await asyncio.gather(waiting, asyncio.create_task(cancels(waiting)), return_exceptions=True)

    loop.run(changes_its_mind())
    assert not called


def test_a_stopped_that_appears_just_after_the_function_counts_as_raised_in_it(loop: PartTimeLoop) -> None:
    def at_the_end_of_the_call(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code is parttime._call.__code__:
            sys.setprofile(None)
            assert not loop.cancel()
            raise Stopped

    async def around() -> str:
        try:
            await loop.aside(lambda: sys.setprofile(at_the_end_of_the_call))
        except Stopped:
            await asyncio.sleep(0)
            return "told"
        return "not told"

    assert loop.run(around()) == "told"
