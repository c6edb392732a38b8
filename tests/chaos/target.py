"""The jobs of the chaos campaign: every start and end leaves a line in a journal outside the store."""

from __future__ import annotations

import asyncio
import os
import time

from ferryman import Context, Ferryman

app = Ferryman()
JOURNAL = os.environ.get("CHAOS_JOURNAL", "")


def note(what: str, ctx: Context) -> None:
    """One line in append mode, so that a kill cuts off no more than the last one."""
    descriptor = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, f"{what} {ctx.job.id} {ctx.claim} {time.time():.6f}\n".encode())
    os.close(descriptor)


@app.job_with_context(max_attempts=100)
async def nap(ctx: Context, seconds: float) -> int:
    """An async handler."""
    note("start", ctx)
    await asyncio.sleep(seconds)
    note("end", ctx)
    return ctx.claim


@app.job_with_context(max_attempts=100)
def work(ctx: Context, seconds: float) -> int:
    """A handler in a thread."""
    note("start", ctx)
    time.sleep(seconds)
    note("end", ctx)
    return ctx.claim
