"""What handlers do that commits with their completion: they bring follow-ups, and write a row of their own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from ferryman.client.request import JobRequest
from ferryman.engine.context import Context
from ferryman.testing.history import entries
from ferryman.testing.history.entries import RunKey
from tests.simulation.loop import pause
from tests.simulation.people import gate_of
from tests.simulation.plan import FollowUp, Step
from tests.simulation.process import Process

FOLLOW: Final = "follow"
"""The type of follow-up jobs."""
ATTEMPTS: Final = 2
"""Their max_attempts. Nobody else enqueues such jobs with so many, so that none can be taken for another one."""
BRIEF: Final = 0.05
"""Seconds for which a transaction stays open at most in calm weather: who keeps the file keeps a rescue waiting."""
MAKE: Final = "CREATE TABLE IF NOT EXISTS ledger (job TEXT NOT NULL, number INTEGER NOT NULL) STRICT"
WRITE: Final = "INSERT INTO ledger VALUES (?, ?)"
READ: Final = "SELECT job, number FROM ledger"


class Call(msgspec.Struct, frozen=True):
    """What `job.call(...)` gives."""

    request: JobRequest


def bring(process: Process, ctx: Context, follow_ups: tuple[FollowUp, ...]) -> None:
    """Enqueue jobs with the completion of this run."""
    for each in follow_ups:
        payload = msgspec.json.encode({"more": each.more, "key": each.unique_key}).decode()
        request = JobRequest(
            FOLLOW,
            payload,
            queue="default",
            priority=5,
            max_attempts=ATTEMPTS,
            delay=each.delay,
            unique_key=each.unique_key,
            key=each.key,
        )
        _note(process, ctx, request, ctx.enqueue(Call(request)))


def _note(process: Process, ctx: Context, request: JobRequest, id: str) -> None:
    assert request.queue is not None and request.priority is not None and request.max_attempts is not None
    process.notes.note(
        entries.Asked,
        process.name,
        request=f"follow-up {id}",
        job=id,
        type=request.type,
        queue=request.queue,
        priority=request.priority,
        max_attempts=request.max_attempts,
        scheduled=request.delay is not None,
        unique_key=request.unique_key,
        follows=(ctx.job.id, ctx.claim),
        key=request.key,
        gate=gate_of(process, request),
    )


async def transact(process: Process, ctx: Context, step: Step, seconds: float, error: BaseException | None) -> None:
    """Write a row of this run, and keep the transaction open for a while; then die, raise or commit."""
    async with ctx.transaction() as tx:
        tx.execute(MAKE)
        tx.execute(WRITE, (ctx.job.id, ctx.claim))
        bring(process, ctx, step.follow_ups)
        if seconds:
            await pause(min(seconds, BRIEF) if process.weather.calm else seconds)
        if step.act == "die":
            process.kill("running")
            await pause(0.0)  # never comes back
        if error is not None:
            raise error
        tx.result = _result(ctx)
        text = msgspec.json.encode(tx.result).decode()
        process.notes.note(entries.Committing, process.name, job=ctx.job.id, number=ctx.claim, result=text)


def _result(ctx: Context) -> Any:
    """Another one than what the handler returns later, which counts for nothing then."""
    return {"committed": ctx.claim}


def ledger(path: Path) -> list[RunKey]:
    """Every row that handlers wrote and that is there."""
    with closing(sqlite3.connect(path)) as connection:
        there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'ledger'").fetchone()
        return connection.execute(READ).fetchall() if there else []
