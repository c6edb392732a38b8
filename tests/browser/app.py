"""The jobs of the sites that the browser looks at."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from ferryman import Context, Ferryman
from tests.browser.hostile import TEXTS

app = Ferryman()
log = logging.getLogger("tests.browser.app")
HUGE = 10_000_000


class Declined(Exception):
    """A charge that nobody pays."""


@app.cron("*/5 * * * *", tz="Europe/Berlin", payload={"text": "tick"})
@app.job
async def echo(**payload: Any) -> dict[str, Any]:
    """Gives back what it was given."""
    return payload


@app.job(queue="slow")
async def nap(seconds: float) -> float:
    """Takes its time."""
    await asyncio.sleep(seconds)
    return seconds


@app.job(queue="billing", max_attempts=1)
async def charge(customer: int, amount: str = "1.00") -> None:
    """Fails for some."""
    raise Declined(f"The card of customer {customer} was declined: {amount} EUR")


@app.job(queue="billing", max_attempts=3)
async def flaky(times: int = 1) -> str:
    """Fails at first."""
    raise ConnectionError(f"No answer from 10.0.0.{times}")


@app.job(max_attempts=1)
async def explode(text: str = "", huge: bool = False) -> None:
    """Fails with a message of somebody's choice."""
    raise RuntimeError("boom " * (HUGE // 5) if huge else text)


@app.job_with_context(queue="reports")
async def report(ctx: Context, steps: int = 5) -> str:
    """Says how far it is, and logs hostile lines."""
    for step in range(steps):
        ctx.progress(step, steps, f"step {step} <b>of</b> {steps}")
        ctx.log.info("step %s: %s", step, list(TEXTS.values())[step % len(TEXTS)][:500])
    return "done"
