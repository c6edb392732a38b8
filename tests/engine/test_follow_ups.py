"""`ctx.enqueue`: jobs that exist iff the run that enqueued them completes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ferryman.client import JobRequest
from ferryman.client.admission import Admission
from ferryman.domain.errors import AlreadyCommitted, BadOption, StoreBusy, UnknownType
from ferryman.domain.events import Enqueued
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS
from ferryman.domain.state import Status
from ferryman.engine.context import Context
from ferryman.engine.node import Node
from ferryman.engine.registry import Handler
from ferryman.engine.signals import Snooze
from ferryman.store.protocol import JobFilter
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, handler, pause, turns


class Following(Bench):
    """A node whose handlers can enqueue follow-ups."""

    def __init__(self, *handlers: Callable[..., Any] | Handler, **options: Any) -> None:
        super().__init__(*handlers, noop, **options)
        admission = Admission(self.world.registry, self.clock, IdMinter(random.Random(5)))
        self.world = msgspec.structs.replace(self.world, admit=admission.admit)
        self.node = Node(self.world, self.options, self.wakeup)

    @property
    def enqueued(self) -> list[Enqueued]:
        return [event for event in self.events if isinstance(event, Enqueued)]

    async def types(self) -> list[str]:
        return sorted([job.type for job in await self.store.list(JobFilter(), self.clock.now())])


def call(type: str = "noop", **options: Any) -> Any:
    return SimpleNamespace(request=JobRequest(type, **options))


async def noop() -> None:
    pass


def test_a_follow_up_runs_once_its_run_has_completed() -> None:
    ids: list[str] = []

    async def first(ctx: Context) -> int:
        ids.append(ctx.enqueue(call()))
        await pause(1.0)
        assert await benches[0].store.get(ids[0], 0) is None, "nothing is stored before the handler has returned"
        return 1

    async def play() -> None:
        async with Following(first) as bench:
            benches.append(bench)
            (id,) = await bench.enqueue("first")
            await bench.until_ended(2)
            assert bench.loop.time() == 1.0, "it was woken, and did not wait for the next look"
            assert [job.status for job in await bench.jobs([id, *ids])] == [Status.COMPLETED] * 2
            assert bench.enqueued == [Enqueued("noop", "default", 1)]

    benches: list[Following] = []
    run_virtual(play())


@pytest.mark.anyio
async def test_a_handler_in_a_thread_enqueues_too() -> None:
    def first(ctx: Context) -> None:
        for _ in range(3):
            ctx.enqueue(call())

    async with Following(first) as bench:
        await bench.enqueue("first")
        await bench.until_ended(4)
        assert await bench.types() == ["first", "noop", "noop", "noop"]


def test_a_run_that_ends_in_any_other_way_leaves_no_follow_up() -> None:
    async def raises(ctx: Context) -> None:
        ctx.enqueue(call())
        raise ValueError

    async def snoozes(ctx: Context) -> None:
        ctx.enqueue(call())
        raise Snooze(1000)

    async def late(ctx: Context) -> None:
        ctx.enqueue(call())
        await pause(1000)

    async def swallows(ctx: Context) -> None:
        ctx.enqueue(call())
        try:
            await pause(1000)
        except asyncio.CancelledError:
            return

    async def unkeepable(ctx: Context) -> object:
        ctx.enqueue(call())
        return object()

    async def play() -> None:
        handlers: list[Any] = [raises, snoozes, handler(late, timeout=1.0), handler(swallows, timeout=1.0), unkeepable]
        async with Following(*handlers) as bench:
            for type in ("raises", "snoozes", "late", "swallows", "unkeepable"):
                await bench.enqueue(type, max_attempts=1)
            await bench.until_ended(5)
            assert "noop" not in await bench.types()
            assert bench.enqueued == []

    run_virtual(play())


def test_a_retry_follows_up_with_what_its_own_run_enqueued() -> None:
    seen: list[int] = []

    async def noted(attempt: int) -> None:
        seen.append(attempt)

    async def flaky(ctx: Context) -> None:
        ctx.enqueue(call("noted", payload=f'{{"attempt":{ctx.attempt}}}'))
        if ctx.attempt == 1:
            raise ValueError

    async def play() -> None:
        async with Following(flaky, noted) as bench:
            await bench.enqueue("flaky")
            await bench.until_ended(3)
            assert seen == [2]

    run_virtual(play())


def test_a_follow_up_for_later_is_scheduled_and_its_time_is_told() -> None:
    async def first(ctx: Context) -> None:
        ctx.enqueue(call(delay=60))
        ctx.enqueue(call(delay=30))

    async def play() -> None:
        async with Following(first) as bench:
            await bench.enqueue("first")
            await bench.until_ended(1)
            assert bench.enqueued == [Enqueued("noop", "default", 2)]
            await bench.until_ended(2)
            assert bench.loop.time() == pytest.approx(30.0)

    run_virtual(play())


def test_follow_ups_exist_once_though_the_reply_was_lost_and_the_next_is_woken_all_the_same() -> None:
    async def first(ctx: Context) -> None:
        ctx.enqueue(call())

    async def play() -> None:
        async with Following(first, workers=1) as bench:
            bench.store.fail("finish", StoreBusy("the reply is lost"), where="after")
            await bench.enqueue("first")
            await bench.until_ended(2)
            assert await bench.types() == ["first", "noop"]
            assert bench.enqueued == [Enqueued("noop", "default", 1)]
            assert not bench.fenced

    run_virtual(play())


def test_a_fenced_completion_leaves_no_follow_up() -> None:
    async def first(ctx: Context) -> None:
        ctx.enqueue(call())
        await pause(5.0)

    async def play() -> None:
        async with Following(first, workers=1, lease=1e9) as bench:
            (id,) = await bench.enqueue("first")
            await turns()
            await bench.store.cancel(id, bench.clock.now())
            await bench.store.force_cancel(bench.clock.now() + MICROS, bench.clock.now())
            await bench.until(lambda: bool(bench.fenced))
            assert await bench.types() == ["first"]
            assert bench.enqueued == []

    run_virtual(play())


def test_a_follow_up_whose_key_is_taken_gives_way_and_is_not_counted() -> None:
    async def first(ctx: Context) -> None:
        ctx.enqueue(call(unique_key="k"))
        ctx.enqueue(call())

    async def play() -> None:
        async with Following(first) as bench:
            await bench.enqueue("noop", unique_key="k", run_at=bench.clock.now() + 1000 * MICROS)
            (id,) = await bench.enqueue("first")
            await bench.until_ended(2)
            assert (await bench.job(id)).status is Status.COMPLETED
            assert await bench.types() == ["first", "noop", "noop"]
            assert bench.enqueued == [Enqueued("noop", "default", 1)]

    run_virtual(play())


def test_what_cannot_be_enqueued_is_refused_in_the_handler() -> None:
    refused: list[Exception] = []

    async def first(ctx: Context) -> None:
        bad = [call(priority=11), call("nope"), noop, call("noop", payload='{"x":1}')]
        for each in bad:
            try:
                ctx.enqueue(each)
            except Exception as error:
                refused.append(error)

    async def play() -> None:
        async with Following(first) as bench:
            await bench.enqueue("first")
            await bench.until_ended(1)
            assert await bench.types() == ["first"]

    run_virtual(play())
    assert [type(error) for error in refused[:3]] == [BadOption, UnknownType, BadOption]
    assert "job.call(...)" in str(refused[2])
    assert len(refused) == 4


def test_after_the_run_has_ended_nothing_can_follow() -> None:
    contexts: list[Context] = []

    async def first(ctx: Context) -> None:
        contexts.append(ctx)

    async def play() -> None:
        async with Following(first) as bench:
            await bench.enqueue("first")
            await bench.until_ended(1)
            with pytest.raises(AlreadyCommitted, match="has ended"):
                contexts[0].enqueue(call())

    run_virtual(play())


def test_a_node_that_was_built_without_refuses() -> None:
    refused: list[Exception] = []

    async def first(ctx: Context) -> None:
        try:
            ctx.enqueue(call())
        except Exception as error:
            refused.append(error)

    async def play() -> None:
        async with Bench(first) as bench:
            await bench.enqueue("first")
            await bench.until_ended(1)

    run_virtual(play())
    assert isinstance(refused[0], UnknownType)
