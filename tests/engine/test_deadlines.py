"""Deadlines: many of them on one timer, in order, and the cancelled ones leave."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferryman.engine.deadlines import Deadlines
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import pause


def test_calls_come_at_their_times_in_order_on_one_timer() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop.time)
        rung: list[tuple[str, float]] = []
        for name, when in (("c", 3.0), ("a", 1.0), ("b", 2.0), ("b2", 2.0)):
            deadlines.at(when, lambda name=name: rung.append((name, loop.time())))  # type: ignore[misc]
        assert len([each for each in loop._scheduled if not each.cancelled()]) == 1  # type: ignore[attr-defined]
        await pause(5)
        assert rung == [("a", 1.0), ("b", 2.0), ("b2", 2.0), ("c", 3.0)]
        assert len(deadlines) == 0

    run_virtual(play())


def test_a_cancelled_deadline_is_not_called_and_may_be_cancelled_again() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop.time)
        rung: list[float] = []
        first = deadlines.after(1.0, lambda: rung.append(loop.time()))
        deadlines.after(2.0, lambda: rung.append(loop.time()))
        first.cancel()
        first.cancel()
        await pause(3)
        first.cancel()
        assert rung == [2.0]

    run_virtual(play())


def test_one_that_is_past_is_called_at_once() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        await pause(5)
        called = asyncio.Event()
        Deadlines(loop.time).at(1.0, called.set)
        await called.wait()
        assert loop.time() == 5.0

    run_virtual(play())


def test_a_call_may_set_and_cancel_others_and_a_failing_one_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop.time)
        rung: list[str] = []
        later = deadlines.at(2.0, lambda: rung.append("cancelled"))

        def first() -> None:
            later.cancel()
            deadlines.at(1.5, lambda: rung.append("set by a call"))
            raise RuntimeError("broken")

        deadlines.at(1.0, first)
        deadlines.at(1.0, lambda: rung.append("second"))
        await pause(5)
        assert rung == ["second", "set by a call"]

    run_virtual(play())
    assert "A deadline's call failed." in caplog.messages


def test_one_that_a_call_sets_for_later_does_not_put_off_the_others() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop.time)
        rung: list[tuple[str, float]] = []

        def first() -> None:
            deadlines.after(5.0, lambda: rung.append(("set by a call", loop.time())))

        deadlines.at(1.0, first)
        deadlines.at(2.0, lambda: rung.append(("there before", loop.time())))
        await pause(7)
        assert rung == [("there before", 2.0), ("set by a call", 6.0)]

    run_virtual(play())


def test_cancelled_deadlines_do_not_pile_up() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop.time)
        kept = [deadlines.after(3600, lambda: None) for _ in range(10)]
        most = 0
        for _ in range(10_000):
            deadlines.after(3600, lambda: None).cancel()
            most = max(most, len(deadlines))
        assert most < 200
        assert len(deadlines) >= len(kept)
        for each in kept:
            each.cancel()

    run_virtual(play())


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=200))
def test_exactly_those_are_called_that_were_not_cancelled_each_at_its_time(plan: list[tuple[int, bool]]) -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop.time)
        rung: list[tuple[int, float]] = []
        for number, (when, cancelled) in enumerate(plan):
            deadline = deadlines.at(when, lambda number=number: rung.append((number, loop.time())))  # type: ignore[misc]
            if cancelled:
                deadline.cancel()
        await pause(30)
        expected = [(number, float(when)) for number, (when, cancelled) in enumerate(plan) if not cancelled]
        assert rung == sorted(expected, key=lambda each: (each[1], each[0]))

    run_virtual(play())
