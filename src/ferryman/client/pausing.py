"""Waits with an end."""

from __future__ import annotations

import asyncio
import math


async def wait_within(awaited: asyncio.Future[None], seconds: float) -> None:
    """Wait for a future, or until the time is over, which then resolves it; `math.inf` is no bound."""
    if seconds == math.inf:
        await awaited
        return
    timer = asyncio.get_running_loop().call_later(seconds, resolve, awaited)
    try:
        await awaited
    finally:
        timer.cancel()


def resolve(awaited: asyncio.Future[None]) -> None:
    """Resolve a future, unless that was done before."""
    if not awaited.done():
        awaited.set_result(None)
