"""What the tests of handlers that are made to end share: handlers, and a look whether the worker took harm."""

from __future__ import annotations

import asyncio

from ferryman.domain.outcome import Outcome
from ferryman.engine.incarnation import Incarnation
from tests.engine.world import Bench, pause


async def noop() -> None:
    pass


async def for_ever() -> None:
    await asyncio.Event().wait()


async def probe() -> str:
    """Succeeds where nothing is left over from the job before it."""
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await pause(0.1)
    try:
        async with asyncio.timeout(0.1):
            await asyncio.Event().wait()
    except TimeoutError:
        pass
    async with asyncio.TaskGroup() as group:
        group.create_task(noop())
    return "well"


def life_of(bench: Bench) -> Incarnation:
    assert bench.node._life is not None
    return bench.node._life


async def healthy(bench: Bench) -> None:
    """The next job of each worker may wait and use timeouts of its own."""
    before = len(bench.ended)
    workers = [worker.task for worker in life_of(bench).pool._workers.values()]
    assert not any(task.done() for task in workers)
    await bench.enqueue("probe", count=4)
    await bench.until_ended(before + 4)
    assert [run.outcome.result for run in bench.ended[before:]] == ['"well"'] * 4
    assert [worker.task for worker in life_of(bench).pool._workers.values()] == workers, "nobody had to be replaced"


async def cancel(bench: Bench, id: str) -> None:
    """As a person does it."""
    result = await bench.store.cancel(id, bench.clock.now())
    bench.wakeup.cancelled(result.node)


def code(outcome: Outcome) -> str | None:
    return outcome.error.code if outcome.error else None
