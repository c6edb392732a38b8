"""The loop's lag, on a loop whose time is moved by hand."""

from __future__ import annotations

import asyncio

import pytest

from ferryman.observe.looplag import LoopLag


class FrozenLoop(asyncio.SelectorEventLoop):
    """Time passes when a test says so."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.run_until_complete(asyncio.sleep(0))
        self.run_until_complete(asyncio.sleep(0))


def test_it_reports_how_late_each_look_came() -> None:
    loop = FrozenLoop()
    seen: list[float] = []
    lag = LoopLag(seen.append, interval=1.0)

    async def start() -> None:
        lag.start()
        lag.start()

    try:
        loop.run_until_complete(start())
        loop.pass_time(0.5)
        assert seen == []
        loop.pass_time(0.5)
        assert seen == [0.0]
        loop.pass_time(3.5)
        assert seen == [0.0, pytest.approx(2.5)]
        lag.stop()
        lag.stop()
        loop.pass_time(5)
        assert len(seen) == 2
    finally:
        loop.close()


def test_stop_tolerates_never_started() -> None:
    LoopLag(print).stop()
