"""Middleware in worker processes: it waits on a loop that turns only for it, and the handler runs where none does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ferryman.domain.outcome import Outcome, What
from ferryman.domain.state import Status
from ferryman.engine.running import Reason
from tests.engine.processes import bench_of, error_of, gone, payload, pipe_in, said, written
from tests.engine.test_hook_shapes import plain_two
from tests.engine.test_process_stops import cut_off

pytestmark = pytest.mark.anyio


async def outcomes(folder: Path, source: str, *payloads: str) -> list[Outcome]:
    """How runs of `job` end, one after the other in one process."""
    async with bench_of(*written(folder, source, "job")) as bench:
        for each in payloads or ("{}",):
            await bench.enqueue("job", each, max_attempts=1)
        await bench.until_ended(len(payloads) or 1)
        return [run.outcome for run in bench.ended]


async def test_it_wraps_every_run_the_first_one_outermost_and_the_handler_has_the_main_thread(tmp_path: Path) -> None:
    source = """
from contextvars import ContextVar
variable = ContextVar("variable", default="unset")

@app.middleware
async def outer(ctx, call_next):
    say("outer", variable.get(), ctx.attempt)
    variable.set(ctx.job.payload["n"])
    await asyncio.to_thread(say, "waited")
    result = await call_next()
    say("outer again", variable.get())
    return result + 1

@app.middleware
async def inner(ctx, call_next):
    try:
        return 10 * await call_next()
    finally:
        await asyncio.sleep(0)

async def own_loop():
    await asyncio.sleep(0)
    return 2

@app.job(process=True)
def job(n: int) -> int:
    say("job", variable.get(), threading.current_thread() is threading.main_thread())
    variable.set("of the handler")
    return n + asyncio.run(own_loop())
"""
    first, second = await outcomes(tmp_path, source, payload(n=1), payload(n=2))
    assert [first, second] == [Outcome(What.DONE, result="31"), Outcome(What.DONE, result="41")]
    assert said(tmp_path) == [
        *("outer unset 1", "waited", "job 1 True", "outer again 1"),
        *("outer unset 1", "waited", "job 2 True", "outer again 2"),
    ]


async def test_it_may_skip_the_handler_raise_in_its_place_and_make_something_of_what_it_raised(tmp_path: Path) -> None:
    source = """
from ferryman import Snooze

@app.middleware
async def translate(ctx, call_next):
    match ctx.job.payload["n"]:
        case 1: return "skipped"
        case 2: raise PermissionError("not today")
        case 3: raise Snooze(600)
    try:
        return await call_next()
    except KeyError as error:
        if error.args[0] == 4:
            return f"no {error}"
        raise

@app.job(process=True)
def job(n: int) -> None:
    say("job", n)
    if n == 6:
        sys.exit(3)
    raise KeyError(n)
"""
    skipped, refused, snoozed, translated, raised, exited = await outcomes(
        tmp_path, source, *(payload(n=n) for n in range(1, 7))
    )
    assert skipped.result == '"skipped"'
    assert error_of(refused).type == "PermissionError"
    assert (snoozed.what, snoozed.delay) == (What.SNOOZED, 600.0)
    assert translated.result == '"no 4"'
    assert error_of(raised).code == "FM501"
    trace = (error_of(raised).traceback or "").splitlines()
    assert "in translate" in trace[1], "it begins with the middleware"
    assert "in job" in "".join(trace)
    assert error_of(exited).code == "FM509"
    assert said(tmp_path) == ["job 4", "job 5", "job 6"]


async def test_the_handler_runs_at_most_once_and_only_within_its_run(tmp_path: Path) -> None:
    source = """
left = []

async def much_later(call_next):
    for _ in range(5):
        await asyncio.sleep(0)
    await call_next()

@app.middleware
async def eager(ctx, call_next):
    match ctx.job.payload["n"]:
        case 1: return [await call_next(), await call_next()]
        case 2: return await asyncio.wait_for(call_next(), 60)
        case 3:
            left.append(asyncio.create_task(call_next()))
            return "left to a task"
        case 4:
            left.append(asyncio.create_task(much_later(call_next)))
            return "left to another"
        case 5: return (await asyncio.gather(asyncio.sleep(0.01), call_next()))[1]
        case 6: return [task.cancelled() for task in left]

@app.job(process=True)
def job(n: int) -> int:
    say("job", n)
    return n
"""
    twice, in_a_task, _, _, gathered, left = await outcomes(tmp_path, source, *(payload(n=n) for n in range(1, 7)))
    assert "called call_next() twice" in error_of(twice).message
    assert (in_a_task.result, gathered.result, left.result) == ("2", "5", "[true,true]")
    assert said(tmp_path) == ["job 1", "job 2", "job 5"]


async def test_a_payload_that_does_not_fit_passes_no_middleware(tmp_path: Path) -> None:
    source = """
@app.middleware
async def around(ctx, call_next):
    say("around")

@app.job(process=True)
def job(n: int) -> None: ...
"""
    [outcome] = await outcomes(tmp_path, source, payload(m=1))
    assert error_of(outcome).code == "FM508"
    assert said(tmp_path) == []


async def test_a_process_without_hooks_makes_no_loop(tmp_path: Path) -> None:
    source = """
import gc

@app.job(process=True)
def job() -> int:
    return sum(isinstance(each, asyncio.AbstractEventLoop) for each in gc.get_objects())
"""
    [without] = await outcomes(tmp_path, source)
    with_one = "@app.middleware\nasync def around(ctx, call_next): return await call_next()\n"
    [within] = await outcomes(tmp_path, source + with_one)
    assert (without.result, within.result) == ("0", "1")


async def test_a_fork_that_comes_back_as_if_it_were_the_handler_gets_no_further(tmp_path: Path) -> None:
    source = """
@app.middleware
async def around(ctx, call_next):
    result = await call_next()
    say(result)
    return result

@app.job(process=True)
def job(n: int) -> str:
    child = os.fork()
    if not child:
        return "child"
    os.waitpid(child, 0)
    return "parent"
"""
    ended = await outcomes(tmp_path, source, payload(n=1), payload(n=2))
    assert [outcome.result for outcome in ended] == ['"parent"', '"parent"']
    assert said(tmp_path) == ["parent", "parent"]


# -- being made to end -------------------------------------------------------------------------------

WAITS = """
@app.middleware
async def around(ctx, call_next):
    where = ctx.job.payload["where"]
    try:
        if where == "before":
            await wait()
        result = await call_next()
        if where == "after":
            await wait()
        return result
    finally:
        await asyncio.to_thread(say, "cleaned")

@app.job(process=True)
def job(where: str) -> str:
    say("job")
    if where == "within":
        try:
            tell(os.getpid())
            while True:
                threading.Event().wait(1)
        finally:
            say("handler cleaned")
    return where
"""
IDLE = """
async def wait():
    tell(os.getpid())
    await asyncio.Event().wait()
"""
BUSY = """
async def wait():
    loop = asyncio.get_running_loop()
    def again():
        loop.call_soon(again)
    again()
    tell(os.getpid())
    while True:
        await asyncio.sleep(0)
"""
LOGS = """
async def wait():
    tell(os.getpid())
    import logging
    while True:
        logging.getLogger("shop").warning("x" * 1000)
        await asyncio.sleep(0)
"""
SAYS = {"before": ["cleaned"], "after": ["job", "cleaned"], "within": ["job", "handler cleaned", "cleaned"]}


@pytest.mark.parametrize("where", ["before", "within", "after"])
@pytest.mark.parametrize("how", [IDLE, BUSY, LOGS], ids=["idle", "busy", "logs"])
async def test_a_run_is_cut_off_wherever_it_is_and_its_middleware_may_clean_up(
    where: str, how: str, tmp_path: Path
) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of(*written(tmp_path, how + WAITS, "job"), grace=30.0) as bench:
            await bench.enqueue("job", payload(where=where), max_attempts=1)
            pid = int(await pipe.line())
            cut_off(bench, Reason.TIMEOUT)
            await bench.until_ended(1)
            error = error_of(bench.ended[0].outcome)
            assert error.code == "FM502"
            assert ("in job" if where == "within" else "in wait") in (error.traceback or ""), "it says where it was"
            await gone(pid)
    assert said(tmp_path) == SAYS[where]


async def test_a_stop_interrupts_a_run_whose_middleware_waits(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of(*written(tmp_path, IDLE + WAITS, "job"), stop_deadline=0.0, last_grace=30.0) as bench:
            (id,) = await bench.enqueue("job", payload(where="after"))
            pid = int(await pipe.line())
        await gone(pid)
        assert bench.ended[0].outcome.what is What.INTERRUPTED
        assert (await bench.job(id)).status is Status.PENDING
    assert said(tmp_path) == SAYS["after"]


async def test_middleware_that_swallows_its_cancellation_does_not_get_to_the_handler(tmp_path: Path) -> None:
    swallows = """
async def wait():
    tell(os.getpid())
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("swallowed")
"""
    with pipe_in(tmp_path) as pipe:
        async with bench_of(*written(tmp_path, swallows + WAITS, "job"), grace=30.0) as bench:
            await bench.enqueue("job", payload(where="before"))
            pid = int(await pipe.line())
            cut_off(bench, Reason.CANCEL)
            await bench.until_ended(1)
            assert bench.ended[0].outcome == Outcome(What.CANCELLED)
            await gone(pid)
    assert said(tmp_path) == ["swallowed", "cleaned"]


async def test_middleware_that_does_not_end_is_killed(tmp_path: Path) -> None:
    stays = """
async def wait():
    tell(os.getpid())
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
"""
    with pipe_in(tmp_path) as pipe:
        async with bench_of(*written(tmp_path, stays + WAITS, "job"), grace=0.2) as bench:
            await bench.enqueue("job", payload(where="after"), max_attempts=1)
            pid = int(await pipe.line())
            cut_off(bench, Reason.TIMEOUT)
            await bench.until_ended(1)
            assert error_of(bench.ended[0].outcome).code == "FM502"
            await gone(pid)


async def test_a_sigterm_from_somebody_else_ends_a_run_whose_middleware_waits_as_killed(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of(*written(tmp_path, IDLE + WAITS, "job")) as bench:
            await bench.enqueue("job", payload(where="after"), max_attempts=1)
            os.kill(int(await pipe.line()), signal.SIGTERM)
            await bench.until_ended(1)
            error = error_of(bench.ended[0].outcome)
            assert error.code == "FM516"
            assert "SIGTERM" in error.message
    assert said(tmp_path) == SAYS["after"]


def known() -> None:
    pass


async def around(ctx: object, call_next: object) -> int:
    return 2


async def test_the_node_does_not_wrap_the_runs_of_its_worker_processes_and_they_say_what_they_go_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
@app.on_startup
def known(): ...

@app.job(process=True)
def job() -> int:
    return 1
"""
    async with bench_of(*written(tmp_path, source, "job")) as bench:
        hooks = bench.world.registry.hooks
        hooks.on_startup(known)
        hooks.add_middleware(around)
        hooks.on_failure(plain_two)
        await bench.enqueue("job", count=2)
        await bench.until_ended(2)
        assert bench.ended[0].outcome.result == "1"
    [told] = [record.getMessage() for record in caplog.records if "hooks" in record.getMessage()]
    assert told.startswith("A worker process has not these hooks of its node: around. ")
