"""What is done with somebody's connection, written once for those that block and those that are awaited.

Drivers, pools and SQLAlchemy have two faces with the same names: `session.commit()` does it, or gives what is to be
awaited. So this is a generator of calls. It is sent what each of them gave, and thrown what each of them raised.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from inspect import isawaitable
from typing import Any, TypeVar

T = TypeVar("T")

Act = Callable[[], Any]
Acts = Generator[Act, Any, T]
"""Yields calls, is sent their results, and returns its answer."""


def perform(acts: Acts[T]) -> T:
    """Make the calls here, one after the other."""
    try:
        act = next(acts)
        while True:
            try:
                given = act()
            except BaseException as error:
                act = acts.throw(error)
            else:
                act = acts.send(given)
    except StopIteration as end:
        result: T = end.value
        return result


async def aperform(acts: Acts[T]) -> T:
    """Make the calls here, and await what is to be awaited."""
    try:
        act = next(acts)
        while True:
            try:
                given = act()
                if isawaitable(given):
                    given = await given
            except BaseException as error:
                act = acts.throw(error)
            else:
                act = acts.send(given)
    except StopIteration as end:
        result: T = end.value
        return result


async def perform_apart(acts: Acts[T]) -> T:
    """Make the calls in a thread of their own; a thread of a pool might wait for one that waits for it."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        tell: Callable[[], None]
        try:
            result = perform(acts)
        except BaseException as error:
            failure = error
            tell = lambda: None if answer.done() else answer.set_exception(failure)  # noqa: E731
        else:
            tell = lambda: None if answer.done() else answer.set_result(result)  # noqa: E731
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=work, name="ferryman-transaction", daemon=True).start()
    return await answer
