"""The start list: in order, and back; twice, never, halfway, and with failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ferryman.engine.startlist import Part, StartList
from tests.engine.world import turns

pytestmark = pytest.mark.anyio


class Parts:
    def __init__(self, *names: str, broken: str = "", holds: str = "") -> None:
        self.happened: list[str] = []
        self.broken = broken
        self.gates = {holds: asyncio.get_running_loop().create_future()} if holds else {}
        self.list = StartList(*(Part(name, self.step(f"start {name}"), self.step(f"stop {name}")) for name in names))

    def step(self, what: str) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            self.happened.append(what)
            if what in self.gates:
                await self.gates[what]
            if what == self.broken:
                raise RuntimeError(what)

        return do


async def test_parts_start_in_order_and_stop_in_the_reverse_one() -> None:
    parts = Parts("a", "b", "c")
    await parts.list.start()
    await parts.list.stop()
    assert parts.happened == ["start a", "start b", "start c", "stop c", "stop b", "stop a"]


async def test_both_tolerate_being_called_twice_at_once_and_after_each_other() -> None:
    parts = Parts("a", holds="stop a")
    await parts.list.start()
    await parts.list.start()
    stops = [asyncio.ensure_future(parts.list.stop()) for _ in range(2)]
    await turns()
    assert not any(stop.done() for stop in stops), "the second one waits for the first"
    parts.gates["stop a"].set_result(None)
    await asyncio.gather(*stops)
    await parts.list.stop()
    assert parts.happened == ["start a", "stop a"]


async def test_a_stop_without_a_start_does_nothing_and_no_start_follows() -> None:
    parts = Parts("a")
    await parts.list.stop()
    await parts.list.start()
    assert parts.happened == []


async def test_a_part_that_fails_to_start_stops_those_before_it() -> None:
    parts = Parts("a", "b", "c", broken="start b")
    with pytest.raises(RuntimeError, match="start b"):
        await parts.list.start()
    assert parts.happened == ["start a", "start b", "stop a"]
    await parts.list.stop()
    assert parts.happened[-1] == "stop a"


async def test_a_part_that_fails_to_stop_keeps_no_other_from_it(caplog: pytest.LogCaptureFixture) -> None:
    parts = Parts("a", "b", broken="stop b")
    await parts.list.start()
    await parts.list.stop()
    assert parts.happened[-1] == "stop a"
    assert "The part b failed to stop." in caplog.messages


async def test_a_stop_during_the_start_waits_for_the_part_under_way_and_starts_no_other() -> None:
    parts = Parts("a", "b", "c", holds="start b")
    starting = asyncio.ensure_future(parts.list.start())
    await turns()
    stopping = asyncio.ensure_future(parts.list.stop())
    await turns()
    assert not stopping.done()
    parts.gates["start b"].set_result(None)
    await stopping
    await starting
    assert parts.happened == ["start a", "start b", "stop b", "stop a"]


async def test_a_cancelled_start_stops_what_was_started() -> None:
    parts = Parts("a", "b", holds="start b")
    starting = asyncio.ensure_future(parts.list.start())
    await turns()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert parts.happened == ["start a", "start b", "stop a"]
