"""Startup and shutdown hooks in worker processes: each process has them called, around all of its runs."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

import msgspec
import pytest

from ferryman.domain.outcome import What
from ferryman.domain.retry import Fixed, RetryPolicy
from ferryman.engine.running import Reason
from tests.engine.processes import HEAD, bench_of, error_of, gone, payload, pipe_in, process_of, said, written
from tests.engine.test_process_stops import cut_off

pytestmark = pytest.mark.anyio

LIFE = """
@app.on_startup
def first():
    asyncio.get_running_loop()
    say("first")

@app.on_startup
async def second():
    await asyncio.to_thread(say, "second")

@app.on_shutdown
async def last():
    await asyncio.to_thread(say, "last")

@app.on_shutdown
def before_last():
    say("before last")

@app.job(process=True)
def job(n: int = 0) -> int:
    say("job")
    return os.getpid()
"""


async def test_a_process_starts_before_its_first_run_and_shuts_down_with_its_node(tmp_path: Path) -> None:
    async with bench_of(*written(tmp_path, LIFE, "job"), last_grace=0.0) as bench:
        await bench.enqueue("job", count=2)
        await bench.until_ended(2)
        assert said(tmp_path) == ["first", "second", "job", "job"]
        process = process_of(bench)
    assert said(tmp_path)[4:] == ["before last", "last"]
    assert process._popen.returncode == 0


async def test_each_process_has_its_hooks_called_and_so_has_one_that_takes_the_place_of_another(tmp_path: Path) -> None:
    async with bench_of(*written(tmp_path, LIFE, "job"), process_max_jobs=1) as bench:
        await bench.enqueue("job", count=2)
        await bench.until_ended(2)
        for run in bench.ended:
            await gone(int(run.outcome.result or 0))
    lines = said(tmp_path)
    for each in ("first", "second", "job", "before last", "last"):
        assert lines.count(each) == 2


async def test_a_hook_of_a_module_that_is_imported_later_is_called_before_its_first_run(tmp_path: Path) -> None:
    more = """
from shop import app, say

@app.on_startup
def late(): say("late")

@app.job(process=True)
def other(): ...
"""
    handlers = written(tmp_path, LIFE, "job") + written(tmp_path, more, "other", module="annex", head="")
    async with bench_of(*handlers) as bench:
        for count, type in enumerate(("job", "other", "job"), 1):
            await bench.enqueue(type)
            await bench.until_ended(count)
        assert {run.outcome.what for run in bench.ended} == {What.DONE}
        assert said(tmp_path) == ["first", "second", "job", "late", "job"]


async def test_two_apps_in_one_process_each_have_their_hooks_and_the_last_to_begin_ends_first(tmp_path: Path) -> None:
    source = """
@app.on_startup
def begins(): say(__name__, "begins")

@app.on_shutdown
def ends(): say(__name__, "ends")

@app.job(process=True)
def {name}(): ...
"""
    handlers = [
        handler
        for name, module in (("job", "shop"), ("other", "annex"))
        for handler in written(tmp_path, source.replace("{name}", name), name, module=module)
    ]
    async with bench_of(*handlers) as bench:
        for count, type in enumerate(("job", "other", "job"), 1):
            await bench.enqueue(type)
            await bench.until_ended(count)
    assert said(tmp_path) == ["shop begins", "annex begins", "annex ends", "shop ends"]


FAILS = (
    LIFE
    + """
@app.on_startup
async def third():
    if not os.path.exists(FOLDER + "/mended"):
        raise OSError("no server")
"""
)


async def test_a_startup_hook_that_raises_fails_the_run_and_the_next_attempt_has_a_new_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [job] = written(tmp_path, FAILS, "job")
    with caplog.at_level(logging.ERROR, "ferryman.engine"):
        async with bench_of(msgspec.structs.replace(job, retry=RetryPolicy(Fixed(0.0)))) as bench:
            bench.world.registry.hooks.on_failure(lambda ctx, error: (tmp_path / "mended").touch())
            await bench.enqueue("job", max_attempts=2)
            await bench.until_ended(2)
            failed, done = [run.outcome for run in bench.ended]
    error = error_of(failed)
    assert (error.code, error.type) == ("FM521", "ProcessNotStarted")
    assert error.message.startswith("The worker process did not start. The startup hook third (")
    assert "OSError: no server" in error.message
    assert "in third" in (error.traceback or "")
    assert said(tmp_path)[:4] == ["first", "second", "before last", "last"], "and no run"
    assert done.what is What.DONE
    [record] = [record for record in caplog.records if "did not start" in record.getMessage()]
    assert "third" in record.getMessage()
    assert "OSError: no server" in str(record.__dict__["traceback"])


async def test_what_a_startup_hook_logs_is_heard_whatever_its_module_did_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
import logging
logging.getLogger().handlers = []
logging.getLogger().setLevel("CRITICAL")

@app.on_startup
def speaks():
    logging.getLogger("loud").info("heard")

@app.job(process=True)
def job(): ...
"""
    with caplog.at_level(logging.INFO):
        async with bench_of(*written(tmp_path, source, "job")) as bench:
            await bench.enqueue("job")
            await bench.until_ended(1)
    assert [record.getMessage() for record in caplog.records if record.name == "loud"] == ["heard"]


async def test_a_shutdown_hook_that_raises_is_logged_by_the_node_and_keeps_no_other_from_being_called(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = LIFE + "@app.on_shutdown\ndef breaks(): sys.exit(7)\n"
    with caplog.at_level(logging.ERROR, "ferryman.engine"):
        async with bench_of(*written(tmp_path, source, "job")) as bench:
            await bench.enqueue("job")
            await bench.until_ended(1)
    assert said(tmp_path)[-2:] == ["before last", "last"]
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == ["The shutdown hook breaks"]


async def test_a_process_whose_shutdown_hooks_take_too_long_is_killed_and_the_node_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.engine.processes.RETIRE_WITHIN", 0.05)
    source = LIFE + "@app.on_shutdown\ndef hangs(): threading.Event().wait()\n"
    with caplog.at_level(logging.WARNING, "ferryman.engine"):
        async with bench_of(*written(tmp_path, source, "job"), process_max_jobs=1) as bench:
            await bench.enqueue("job")
            await bench.until_ended(1)
            pid = int(bench.ended[0].outcome.result or 0)
            await gone(pid)
    assert f"The worker process {pid} did not end within 0.05 s" in caplog.text
    assert "last" not in said(tmp_path)


async def test_tasks_that_hooks_have_left_are_cancelled_at_the_end(tmp_path: Path) -> None:
    source = """
left = []

@app.on_startup
async def leaves():
    async def ends():
        try:
            await asyncio.Event().wait()
        finally:
            say("ended")
    left.append(asyncio.create_task(ends()))
    await asyncio.sleep(0)

@app.job(process=True)
def job(): ...
"""
    async with bench_of(*written(tmp_path, source, "job")) as bench:
        await bench.enqueue("job")
        await bench.until_ended(1)
        assert said(tmp_path) == []
    assert said(tmp_path) == ["ended"]


# -- being made to end while hooks work --------------------------------------------------------------

WAITS = (
    LIFE
    + """
@app.on_startup
async def waits():
    tell(os.getpid())
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("cancelled")
        if SWALLOWS:
            return
        raise
"""
)


@pytest.mark.parametrize("swallows", [False, True])
async def test_a_run_whose_startup_hook_waits_is_cut_off_in_time(swallows: bool, tmp_path: Path) -> None:
    [job] = written(tmp_path, WAITS, "job", head=f"{HEAD}\nSWALLOWS = {swallows}\n")
    with pipe_in(tmp_path) as pipe:
        async with bench_of(job, grace=60.0) as bench:
            await bench.enqueue("job", max_attempts=1)
            pid = int(await pipe.line())
            cut_off(bench, Reason.TIMEOUT)
            await bench.until_ended(1)
            assert error_of(bench.ended[0].outcome).code == "FM502"
            await gone(pid)
    begun = ["first", "second", "cancelled"]
    assert said(tmp_path) == (begun if swallows else [*begun, "before last", "last"]), "the job did not run"


async def test_a_sigterm_from_somebody_else_while_a_startup_hook_waits_ends_the_run_as_killed(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of(*written(tmp_path, WAITS, "job", head=f"{HEAD}\nSWALLOWS = False\n")) as bench:
            await bench.enqueue("job", max_attempts=1)
            os.kill(int(await pipe.line()), signal.SIGTERM)
            await bench.until_ended(1)
            error = error_of(bench.ended[0].outcome)
            assert error.code == "FM516"
            assert "SIGTERM" in error.message


async def test_a_shutdown_hook_that_waits_ends_with_a_sigterm(tmp_path: Path) -> None:
    source = """
@app.on_shutdown
async def waits():
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.Event().wait()

@app.job(process=True)
def job(): ...
"""
    async with bench_of(*written(tmp_path, source, "job")) as bench:
        await bench.enqueue("job", payload())
        await bench.until_ended(1)
        process = process_of(bench)
    assert process._popen.returncode == -signal.SIGTERM
