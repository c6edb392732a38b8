"""Three small types to try Ferryman with: `make run`, or `ferryman serve examples/basics.py`."""

from __future__ import annotations

import asyncio
from typing import Any

from ferryman import Ferryman

app = Ferryman()


@app.job
async def echo(**payload: Any) -> dict[str, Any]:
    """Gives back what it was given."""
    return payload


@app.job
async def sleep(seconds: float) -> float:
    """Takes its time."""
    await asyncio.sleep(seconds)
    return seconds


@app.job
async def fail(message: str = "It was asked to fail.") -> None:
    """Fails at every attempt; enqueue it with max_attempts=1 to see it fail at once."""
    raise RuntimeError(message)
