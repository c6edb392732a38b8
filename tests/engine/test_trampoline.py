"""The trampoline: a handler in the worker's own task, with context variables of its own."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
import uvloop

from ferryman.engine.trampoline import drive
from tests.engine.world import pause, turns

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="clean")


@pytest.fixture(
    params=[
        pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio"),
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    ]
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


pytestmark = pytest.mark.anyio


async def run(coroutine: Any) -> Any:
    """As the executor does it."""
    context = copy_context()
    try:
        awaited = context.run(coroutine.send, None)
    except StopIteration as end:
        return end.value
    return await drive(coroutine, context, awaited)


async def test_both_loops_are_tried(anyio_backend: Any) -> None:
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop) == anyio_backend[1]["use_uvloop"]


async def test_results_pass_through() -> None:
    async def work() -> int:
        await pause(0)
        inner = asyncio.get_running_loop().create_task(nothing())
        await inner
        return 42

    async def nothing() -> None:
        await pause(0)

    assert await run(work()) == 42


async def test_exceptions_pass_through_in_both_directions() -> None:
    async def work() -> str:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, KeyError("inner"))
        try:
            await future
        except KeyError:
            await pause(0)
        raise ValueError("outer")

    with pytest.raises(ValueError, match="outer"):
        await run(work())


async def test_context_variables_stay_inside_over_every_suspension() -> None:
    seen: list[str] = []

    async def work() -> None:
        VARIABLE.set("mine")
        await pause(0)
        seen.append(VARIABLE.get())
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        except TimeoutError:
            seen.append(VARIABLE.get())
        await asyncio.create_task(child())

    async def child() -> None:
        seen.append(VARIABLE.get())

    await run(work())
    assert seen == ["mine", "mine", "mine"]
    assert VARIABLE.get() == "clean"


async def test_the_handlers_own_timeout_works() -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "not"

    assert await run(work()) == "timed out"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_handlers_own_task_group_works() -> None:
    async def fails() -> None:
        raise KeyError("child")

    async def work() -> str:
        caught = "not"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                group.create_task(asyncio.Event().wait())
        except* KeyError:
            caught = "caught"
        return caught

    assert await run(work()) == "caught"


async def test_a_cancel_of_the_task_reaches_the_handler_where_it_waits() -> None:
    left: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            left.append(VARIABLE.get())

    task = asyncio.get_running_loop().create_task(run(work()))
    await turns(3)
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        await task
    assert left == ["clean"]


async def test_closing_the_worker_closes_the_handler_in_its_context() -> None:
    closed: list[str] = []

    async def work() -> None:
        VARIABLE.set("mine")
        try:
            await asyncio.Event().wait()
        finally:
            closed.append(VARIABLE.get())

    outer = run(work())
    outer.send(None)
    outer.close()
    assert closed == ["mine"]

    async def odd() -> None:
        await pause(0)
        raise GeneratorExit

    with pytest.raises(GeneratorExit):
        await run(odd())
