"""`ctx.enqueue` in worker processes: admitted there, carried home, and written with the completion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman.domain.events import Enqueued
from ferryman.domain.job import Job
from ferryman.domain.outcome import What
from ferryman.engine.running import Reason
from ferryman.store.protocol import JobFilter
from tests.engine.processes import bench_of, error_of, payload, pipe_in, said, written
from tests.engine.test_process_stops import cut_off
from tests.engine.world import Bench, handler

pytestmark = pytest.mark.anyio

SOURCE = """
@app.job
async def noted(word: str) -> None: ...

"""


async def noted(word: str) -> None:
    pass


def following(folder: Path, source: str, *types: str, **options: Any) -> Bench:
    return bench_of(*written(folder, SOURCE + source, *(types or ("job",))), handler(noted), **options)


async def follow_ups(bench: Bench) -> list[Job]:
    jobs = await bench.store.list(JobFilter(), bench.clock.now())
    return [job for job in jobs if job.type == "noted"]


async def test_a_follow_up_exists_once_its_run_has_completed_under_the_id_that_the_handler_was_told(
    tmp_path: Path,
) -> None:
    source = """
@app.job_with_context(process=True)
def job(ctx: Context, n: int) -> list[str]:
    call = noted.call("ß").later(1000).options(priority=2, tags=["t"])
    return [ctx.enqueue(call), ctx.enqueue(noted.call("x" * n))]
"""
    async with following(tmp_path, source) as bench:
        await bench.enqueue("job", payload(n=600_000))
        await bench.until_ended(1)
        assert bench.ended[0].outcome.what is What.DONE
        assert len(await follow_ups(bench)) == 2
        await bench.until_ended(2)
        later, now = await follow_ups(bench)
        assert [later.id, now.id] == msgspec.json.decode(bench.ended[0].outcome.result or "")
        assert (msgspec.json.decode(later.payload), later.priority, later.tags) == ({"word": "ß"}, 2, ("t",))
        assert later.run_at is not None
        assert (len(now.payload) > 600_000, now.status) == (True, "completed"), "the node was woken for it"
        assert [event for event in bench.events if isinstance(event, Enqueued)] == [Enqueued("noted", "default", 2)]


async def test_a_run_that_ends_in_any_other_way_leaves_no_follow_up(tmp_path: Path) -> None:
    source = """
from ferryman import Snooze

@app.job_with_context(process=True)
def job(ctx: Context, how: str) -> object:
    ctx.enqueue(noted.call(how))
    match how:
        case "raises": raise ValueError
        case "snoozes": raise Snooze(1000)
        case "unkeepable": return object()
        case "exits": os._exit(3)
    tell("up")
    threading.Event().wait()
"""
    with pipe_in(tmp_path) as pipe:
        async with following(tmp_path, source) as bench:
            for how in ("raises", "snoozes", "unkeepable", "exits", "late"):
                await bench.enqueue("job", payload(how=how), max_attempts=1)
            assert await pipe.line() == "up"
            cut_off(bench, Reason.TIMEOUT)
            await bench.until_ended(5)
            assert await follow_ups(bench) == []


async def test_what_cannot_be_enqueued_is_refused_in_the_handler(tmp_path: Path) -> None:
    source = """
other = Ferryman()

@other.job
def foreign() -> None: ...

@app.job_with_context(process=True)
def job(ctx: Context) -> list[str]:
    told = []
    for call in (lambda: noted.call(7), lambda: noted.call("x").options(priority=11), foreign.call, lambda: job):
        try:
            ctx.enqueue(call())
        except Exception as error:
            told.append(type(error).__name__)
    return told
"""
    async with following(tmp_path, source) as bench:
        await bench.enqueue("job")
        await bench.until_ended(1)
        told = msgspec.json.decode(bench.ended[0].outcome.result or "")
        assert told == ["WrongArgumentType", "BadOption", "UnknownType", "BadOption"]
        assert await follow_ups(bench) == []


async def test_the_nodes_limits_hold(tmp_path: Path) -> None:
    source = """
@app.job_with_context(process=True)
def job(ctx: Context) -> None:
    ctx.enqueue(noted.call("x" * 2000))
"""
    bench = following(tmp_path, source)
    bench.world = msgspec.structs.replace(bench.world, settings={"max_body": "1KiB"})
    bench.node._world = bench.world
    async with bench:
        await bench.enqueue("job", max_attempts=1)
        await bench.until_ended(1)
        assert error_of(bench.ended[0].outcome).type == "PayloadTooLarge"


async def test_no_two_processes_mint_one_id_nor_does_one_twice(tmp_path: Path) -> None:
    source = """
@app.job_with_context(process=True)
def job(ctx: Context) -> list[str]:
    return [ctx.enqueue(noted.call("x")) for _ in range(20)]
"""
    async with bench_of(*written(tmp_path, SOURCE + source, "job"), process_max_jobs=2) as bench:
        await bench.enqueue("job", count=4)
        await bench.until_ended(4)
        ids = [job.id for job in await follow_ups(bench)]
    assert len(ids) == len(set(ids)) == 80
    random = {id.replace("-", "")[16:] for id in ids}
    assert len(random) == 80, "what is random in them does not depend on the time alone"


async def test_after_the_run_has_ended_nothing_can_follow(tmp_path: Path) -> None:
    source = """
kept = []

@app.job_with_context(process=True)
def job(ctx: Context) -> str:
    kept.append(ctx)
    try:
        return kept[0].enqueue(noted.call("x"))
    except Exception as error:
        return str(error)
"""
    async with bench_of(*written(tmp_path, SOURCE + source, "job")) as bench:
        await bench.enqueue("job", count=2)
        await bench.until_ended(2)
        assert "FM520" in (bench.ended[1].outcome.result or "")
        assert len(await follow_ups(bench)) == 1


async def test_middleware_may_enqueue_with_the_completion_too(tmp_path: Path) -> None:
    source = """
@app.middleware
async def around(ctx: Context, call_next):
    result = await call_next()
    ctx.enqueue(noted.call(result))
    return result

@app.job(process=True)
def job() -> str:
    return "done"
"""
    async with following(tmp_path, source) as bench:
        await bench.enqueue("job")
        await bench.until_ended(1)
        [job] = await follow_ups(bench)
        assert msgspec.json.decode(job.payload) == {"word": "done"}


async def test_a_transaction_cannot_be_had_and_the_error_says_what_can(tmp_path: Path) -> None:
    source = """
@app.job_with_context(process=True)
def job(ctx: Context) -> None:
    with ctx.transaction():
        say("within")
"""
    async with following(tmp_path, source) as bench:
        await bench.enqueue("job", max_attempts=1)
        await bench.until_ended(1)
        error = error_of(bench.ended[0].outcome)
        assert error.type == "TransactionImpossible"
        assert "ctx.enqueue" in error.message
    assert said(tmp_path) == []
