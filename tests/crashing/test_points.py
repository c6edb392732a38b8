"""Which points a handler has, and that it stands still at the one that is asked for."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from ferryman.crashing.crashtest import drawn
from ferryman.crashing.points import Met, Point, Watch, What, code_of
from ferryman.declare import make_handler
from tests.crashing.bank import Bank

BEFORE, AWAIT, END = What.BEFORE, What.AWAIT, What.END


class Seen:
    """A handler that is run once in a thread of its own, and watched."""

    def __init__(self, function: Callable[..., Any], *stop_at: Any) -> None:
        handler = make_handler(function, wants_context=False)
        self.code = code_of(handler)
        self.stood = 0
        self.error: BaseException | None = None
        point = Point(__file__, self.code.co_firstlineno + stop_at[0], *stop_at[1:]) if stop_at else None
        self._watch = Watch(handler, point, self._stand)
        thread = threading.Thread(target=self._run)
        thread.start()
        thread.join()

    @property
    def points(self) -> list[tuple[int, What, int]]:
        """By lines below the one on which the function begins."""
        return [(met.line - self.code.co_firstlineno, met.what, met.times) for met in self._watch.met]

    def _stand(self) -> None:
        self.stood += 1

    def _run(self) -> None:
        before = sys.gettrace()
        watched = self._watch.handler()
        try:
            value = watched.function()
            if watched.is_async:
                asyncio.run(value)
        except ValueError as error:
            self.error = error
        assert sys.gettrace() is before


def test_a_function_stops_before_each_line_and_at_its_end() -> None:
    def function() -> None:
        len("a")
        len("b")

    assert Seen(function).points == [(1, BEFORE, 1), (2, BEFORE, 1), (2, END, 1)]


def test_a_function_that_raises_has_an_end_too() -> None:
    def function() -> None:
        raise ValueError

    seen = Seen(function)
    assert seen.points == [(1, BEFORE, 1), (1, END, 1)]
    assert seen.error is not None


def test_each_wait_is_a_point_and_one_without_a_wait_is_none() -> None:
    async def nothing() -> None:
        return

    async def coroutine() -> None:
        await asyncio.sleep(0)
        await nothing()

    points = Seen(coroutine).points
    assert [(line, what) for line, what, _ in points if line > 0] == [(1, BEFORE), (1, AWAIT), (2, BEFORE), (2, END)]


def test_a_wait_below_is_one_point_there() -> None:
    async def below() -> None:
        await asyncio.sleep(0)

    async def coroutine() -> None:
        await below()
        len("a")

    points = Seen(coroutine).points
    assert [(line, what) for line, what, _ in points if what is AWAIT] == [(-2, AWAIT)]
    assert (2, BEFORE, 1) in points


def test_the_waits_of_tasks_that_the_handler_starts_count() -> None:
    async def below() -> None:
        await asyncio.sleep(0)

    async def coroutine() -> None:
        await asyncio.gather(below(), below())

    assert (-2, AWAIT, 2) in Seen(coroutine).points


def test_a_generator_that_yields_does_not_wait_and_one_that_awaits_does() -> None:
    def numbers() -> Iterator[int]:
        yield 1

    async def later() -> AsyncIterator[int]:
        await asyncio.sleep(0)
        yield 1

    async def coroutine() -> None:
        list(numbers())
        async for _ in later():
            pass

    assert (1, AWAIT, 1) not in Seen(coroutine).points
    assert [line for line, what, _ in Seen(coroutine).points if what is AWAIT and line < 0] == [-3, -2]


def test_what_other_files_do_is_one_step(tmp_path: Path) -> None:
    bank = Bank()
    bank.open(tmp_path / "jobs.db")

    def function() -> None:
        bank.charge(1)

    assert Seen(function).points == [(1, BEFORE, 1), (1, END, 1)]


def test_a_decorator_from_elsewhere_is_not_the_handler() -> None:
    def twice(function: Callable[[], None]) -> Callable[[], None]:
        @wraps(function)
        def both() -> None:
            function()
            function()

        return both

    @twice
    def function() -> None:
        len("a")

    assert (2, END, 2) in Seen(function).points


@pytest.mark.parametrize(
    ("stop_at", "stood"),
    [((2, BEFORE), 1), ((2, BEFORE, 3), 1), ((2, BEFORE, 4), 0), ((1, END), 1), ((3, BEFORE), 0)],
)
def test_it_stands_once_at_the_point_it_was_given(stop_at: tuple[Any, ...], stood: int) -> None:
    def function() -> None:
        for each in range(3):
            len(str(each))

    assert Seen(function, *stop_at).stood == stood


def test_a_point_is_told_as_people_write_it() -> None:
    assert str(Point("/shop/jobs.py", 7, BEFORE)) == "jobs.py:7"
    assert str(Point("/shop/jobs.py", 7, AWAIT, 3)) == "jobs.py:7 await #3"


# -- which points are tried ------------------------------------------------------------------------

MET = [Met(10, BEFORE, 1), Met(11, BEFORE, 50), Met(12, AWAIT, 50), Met(13, END, 1)]


def points(seed: int, most: int) -> list[Point]:
    return drawn(random.Random(seed), "jobs.py", MET, most)


def test_all_points_are_tried_where_there_are_few_in_the_order_of_the_run() -> None:
    assert len(points(0, 1000)) == 102
    assert points(0, 1000)[:3] == [
        Point("jobs.py", 10, BEFORE),
        Point("jobs.py", 11, BEFORE, 1),
        Point("jobs.py", 11, BEFORE, 2),
    ]


def test_a_seed_draws_the_same_points_again_and_another_one_others() -> None:
    assert points(1, 10) == points(1, 10)
    assert points(1, 10) != points(2, 10)
    assert len(set(points(1, 10))) == 10


def test_a_loop_does_not_hide_the_line_behind_it() -> None:
    for seed in range(20):
        assert {(each.line, each.nth) for each in points(seed, 5)} >= {(10, 1), (11, 1), (12, 1), (13, 1)}
    assert {len(points(seed, 2)) for seed in range(20)} == {2}
