"""Virtual time jumps over waiting, and never stands still."""

from __future__ import annotations

import asyncio
import math

import pytest

from ferryman.testing.virtual_loop import run_virtual


def test_waiting_takes_virtual_time_only() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        loop.call_later(5000.0, woken.set_result, None)
        await woken
        return loop.time()

    assert run_virtual(main()) == 5000.0


def test_what_nothing_brings_about_is_an_error() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(AssertionError, match="wait for ever"):
        run_virtual(main())


def test_who_waits_for_a_time_between_two_floats_gets_there() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        loop.call_later(1.0, woken.set_result, None)
        await woken
        due = math.nextafter(loop.time(), math.inf)
        while loop.time() < due:
            look: asyncio.Future[None] = loop.create_future()
            loop.call_later(0.0, look.set_result, None)
            await look

    run_virtual(main())
