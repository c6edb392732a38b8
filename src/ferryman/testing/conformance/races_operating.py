"""Races over a portion of an operation."""

from __future__ import annotations

from typing import Any

from ferryman.domain.bulk import BulkStatus
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.testing.conformance import heats
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.heats import Call, Heat
from ferryman.testing.conformance.operating import begin, look


async def portion_of(bench: Bench, action: str) -> Call:
    """The only portion of a new operation, as a node says it."""
    operation = await begin(bench, action)
    return Call("advance", (operation, await look(bench, operation), bench.now))


async def advance_advance(bench: Bench) -> Heat:
    """Two nodes are at one portion: one of them does it, and does it once."""
    ids = [await bench.bring(Status.FAILED, unique_key=key) for key in ("a", "b")]
    call = await portion_of(bench, "retry")

    async def judge(one: Any, two: Any) -> None:
        assert sorted(each is None for each in (one, two)) == [False, True]
        assert sorted((one or two).changed) == ids
        assert await bench.totals("retried") == [2]

    return Heat(call, call, judge)


async def advance_cancel_operation(bench: Bench) -> Heat:
    """A portion is done, or its operation was stopped before."""
    id = await bench.bring(Status.FAILED)
    call = await portion_of(bench, "retry")

    async def judge(advanced: Any, met: Any) -> None:
        assert met is (BulkStatus.RUNNING if advanced is None else BulkStatus.COMPLETED)
        assert await bench.status(id) is (Status.FAILED if advanced is None else Status.PENDING)

    return Heat(call, Call("cancel_operation", (call.args[0].id, bench.now)), judge)


async def advance_claim(bench: Bench) -> Heat:
    """A job is claimed and goes on, or cancelled and never runs; the operation tells which."""
    id, node = await bench.add(), await bench.node()
    call = await portion_of(bench, "cancel")

    async def judge(advanced: Any, batch: Any) -> None:
        assert [*advanced.changed, *(job.id for job in batch.jobs)] == [id]
        assert (advanced.operation.changed, advanced.operation.skipped) == (int(not batch.jobs), len(batch.jobs))
        assert await bench.status(id) is (Status.PROCESSING if batch.jobs else Status.CANCELLED)

    return Heat(call, heats.claim(bench, node), judge)


async def advance_finish(bench: Bench) -> Heat:
    """A run is asked to end, or has ended."""
    job = await bench.start()
    call = await portion_of(bench, "cancel")

    async def judge(advanced: Any, report: Any) -> None:
        assert not report.fenced
        assert list(advanced.changed) in ([], [job.id])
        assert await bench.status(job.id) is Status.COMPLETED

    finish = Call("finish", (await bench.home(), [bench.ended(job, What.DONE)], bench.now))
    return Heat(call, finish, judge)


async def advance_retry(bench: Bench) -> Heat:
    """Two persons send a job back, one of them by an operation: it is sent back once."""
    id = await bench.bring(Status.FAILED)
    call = await portion_of(bench, "retry")

    async def judge(advanced: Any, result: Any) -> None:
        assert (result.before is Status.FAILED) is (list(advanced.changed) == [])
        assert await bench.totals("retried") == [1]
        assert await bench.status(id) is Status.PENDING

    return Heat(call, Call("retry", (id, bench.now)), judge)
