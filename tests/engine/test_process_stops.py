"""Worker processes that are made to end: at a timeout, by a cancel, by a stop, with their node. They really end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ferryman.domain.events import ThreadStuck
from ferryman.domain.outcome import What
from ferryman.domain.state import Status
from ferryman.engine.deaths import kill_group
from ferryman.engine.running import Reason
from tests.engine.processes import bench_of, error_of, gone, payload, pipe_in, process_handler, process_of
from tests.engine.world import Bench

pytestmark = pytest.mark.anyio

NODE = """
import asyncio, sys
from tests.engine.processes import bench_of, payload

async def play(type: str, path: str) -> None:
    async with bench_of(type) as bench:
        await bench.enqueue(type, payload(path=path))
        await bench.until_ended(1)

asyncio.run(play(*sys.argv[1:]))
"""
UNGUARDED = """
from ferryman.engine import processes
processes.START = '''
import os, sys
sys.path[:] = sys.argv[4:]
from ferryman.engine import child
child.start_guard = lambda: None
os.killpg = lambda *_: None
child.main()
'''
"""
"""Takes the guard away from worker processes, and from the thread that watches the connection its only means."""


def cut_off(bench: Bench, reason: Reason) -> None:
    """Ask every run to end, as the timer, a cancel or a stop does."""
    life = bench.node._life
    assert life is not None
    life.pool.cut_off(reason)


def functions_of(traceback: str | None) -> list[str]:
    """Those of the handlers' file, the innermost last."""
    return re.findall(r'processes_target\.py", line \d+, in (\w+)', traceback or "")


async def test_a_timeout_ends_the_run_wherever_it_is(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of(process_handler("waits", timeout=0.5), grace=60.0) as bench:
            await bench.enqueue("waits", payload(path=pipe.path), max_attempts=2)
            await bench.until_ended(2)
            assert [error_of(run.outcome).code for run in bench.ended] == ["FM502", "FM502"]


async def test_at_its_timeout_a_handler_is_asked_to_end_and_may_clean_up(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of(process_handler("cleans_up", timeout=50.0), "double", grace=60.0) as bench:
            await bench.enqueue("cleans_up", payload(path=pipe.path), max_attempts=1)
            pid = int(await pipe.line())
            cut_off(bench, Reason.TIMEOUT)
            assert await pipe.line() == "cleaned True", "it runs in the main thread"
            await bench.enqueue("double", payload(n=1))
            await bench.until_ended(2)
            error = error_of(bench.ended[0].outcome)
            assert (error.code, error.message) == ("FM502", "The handler ran longer than its timeout of 50 s.")
            assert "in cleans_up" in (error.traceback or ""), "it says where the handler was"
            # mostly it hangs by then; on a busy machine it may still be telling
            assert error.frame == f"processes_target.py:{functions_of(error.traceback)[-1]}"
            await gone(pid)
            assert bench.ended[1].outcome.what is What.DONE
            assert process_of(bench).pid != pid


@pytest.mark.parametrize("type", ["ignores", "computes_without_end"])
async def test_a_handler_that_does_not_end_when_it_is_asked_to_is_killed(type: str, tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of(type, "double", grace=0.2) as bench:
            (id,) = await bench.enqueue(type, payload(path=pipe.path), max_attempts=1)
            pid = int(await pipe.line())
            await bench.enqueue("double", payload(n=1))
            cut_off(bench, Reason.TIMEOUT)
            await gone(pid)
            await bench.until_ended(2)
            assert [run.outcome.error and run.outcome.error.code for run in bench.ended] == ["FM502", None]
            assert (await bench.job(id)).status is Status.FAILED
            assert not [event for event in bench.events if isinstance(event, ThreadStuck)]
            assert bench.node.stuck_threads == 0


async def test_a_handler_that_swallows_the_signal_ends_for_the_reason_all_the_same(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("swallows", grace=60.0) as bench:
            await bench.enqueue("swallows", payload(path=pipe.path), max_attempts=1)
            pid = int(await pipe.line())
            cut_off(bench, Reason.TIMEOUT)
            assert await pipe.line() == "swallowed"
            await bench.until_ended(1)
            assert (error_of(bench.ended[0].outcome).code, bench.ended[0].outcome.result) == ("FM502", None)
            await gone(pid)


async def test_a_process_that_ignores_the_signal_is_killed_even_if_its_run_has_ended(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("ignores_and_returns", "double", grace=60.0) as bench:
            await bench.enqueue("ignores_and_returns", payload(path=pipe.path))
            pid = int(await pipe.line())
            cut_off(bench, Reason.CANCEL)
            with open(pipe.path + ".go", "w"):  # noqa: PTH123, ASYNC230 - a pipe: the handler waits for its other end
                pass
            await bench.until_ended(1)
            assert bench.ended[0].outcome.what is What.CANCELLED
            await gone(pid)


async def test_what_one_run_did_to_the_signal_means_nothing_to_the_next(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("ignores_and_returns", "cleans_up", grace=60.0) as bench:
            await bench.enqueue("ignores_and_returns", payload(path=pipe.path))
            pid = await pipe.line()
            with open(pipe.path + ".go", "w"):  # noqa: PTH123, ASYNC230 - a pipe: the handler waits for its other end
                pass
            await bench.enqueue("cleans_up", payload(path=pipe.path), max_attempts=1)
            assert await pipe.line() == pid
            cut_off(bench, Reason.TIMEOUT)
            assert await pipe.line() == "cleaned True"
            await bench.until_ended(2)


async def test_what_a_handler_forked_is_killed_with_it(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("forks", grace=0.2) as bench:
            await bench.enqueue("forks", payload(path=pipe.path), max_attempts=1)
            child = int(await pipe.line())
            cut_off(bench, Reason.TIMEOUT)
            await bench.until_ended(1)
            assert error_of(bench.ended[0].outcome).code == "FM502"
            await gone(child)


async def cancel(bench: Bench, id: str) -> None:
    """As a person does it."""
    result = await bench.store.cancel(id, bench.clock.now())
    bench.wakeup.cancelled(result.node)


async def test_a_cancel_request_ends_the_process(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("waits") as bench:
            (id,) = await bench.enqueue("waits", payload(path=pipe.path))
            pid = int(await pipe.line())
            await cancel(bench, id)
            await bench.until_ended(1)
            assert bench.ended[0].outcome.what is What.CANCELLED
            await gone(pid)


async def test_a_worker_that_is_cancelled_from_outside_leaves_no_process(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("waits", "double") as bench:
            await bench.enqueue("waits", payload(path=pipe.path), max_attempts=1)
            pid = int(await pipe.line())
            life = bench.node._life
            assert life is not None
            life.pool._workers[1].task.cancel()
            await gone(pid)
            await bench.enqueue("double", payload(n=1))
            await bench.until_ended(2)
            assert error_of(bench.ended[0].outcome).type == "CancelledError"
            assert bench.ended[1].outcome.what is What.DONE


async def test_a_handler_that_logs_without_end_is_ended_too(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("logs_without_end", grace=60.0) as bench:
            await bench.enqueue("logs_without_end", payload(path=pipe.path), max_attempts=1)
            pid = int(await pipe.line())
            cut_off(bench, Reason.TIMEOUT)
            await bench.until_ended(1)
            assert error_of(bench.ended[0].outcome).code == "FM502"
            await gone(pid)


@pytest.mark.parametrize("type", ["waits", "ignores"])
async def test_a_stop_cuts_handlers_off_and_leaves_no_process(type: str, tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        bench = bench_of(type, stop_deadline=0.0, last_grace=0.2, workers=2)
        async with bench:
            ids = await bench.enqueue(type, payload(path=pipe.path), count=2)
            pids = [int(await pipe.line()) for _ in ids]
            processes = [process_of(bench, worker) for worker in (1, 2)]
        assert {run.outcome.what for run in bench.ended} == {What.INTERRUPTED}
        assert {job.status for job in await bench.jobs(ids)} == {Status.PENDING}
        for pid in pids:
            await gone(pid)
        assert all(process.ended.done() and process._popen.returncode < 0 for process in processes), "each was reaped"
        assert bench.node.stuck_threads == 0


async def test_an_idle_process_ends_in_order_with_its_node() -> None:
    async with bench_of("whoami") as bench:
        await bench.enqueue("whoami")
        await bench.until_ended(1)
        process = process_of(bench)
    assert process.ended.done()
    assert process._popen.returncode == 0


@pytest.mark.parametrize("type", ["waits", "computes_without_end", "ignores", "forks"])
async def test_a_process_does_not_outlive_a_node_that_is_killed(type: str, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with pipe_in(tmp_path) as pipe:
        node = subprocess.Popen([sys.executable, "-c", NODE, type, pipe.path], env=environ)  # noqa: ASYNC220 - is quick
        try:
            pid = int(await pipe.line())
        finally:
            node.send_signal(signal.SIGKILL)
            node.wait()
        await gone(pid)


@pytest.mark.parametrize("type", ["waits", "computes_without_end", "ignores"])
async def test_the_kernel_alone_sees_to_it_that_a_process_does_not_outlive_its_node(type: str, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", UNGUARDED + NODE, type, str(tmp_path / "pipe")]
    with pipe_in(tmp_path) as pipe:
        node = subprocess.Popen(command, env=environ)  # noqa: ASYNC220 - is quick
        try:
            pid = int(await pipe.line())
        finally:
            node.send_signal(signal.SIGKILL)
            node.wait()
        try:
            await gone(pid)
        finally:
            kill_group(pid, signal.SIGKILL)  # where the kernel did not


async def test_what_a_handler_forked_goes_with_the_process_whoever_killed_that(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("forks") as bench:
            await bench.enqueue("forks", payload(path=pipe.path), max_attempts=1)
            child = int(await pipe.line())
            os.kill(process_of(bench).pid, signal.SIGKILL)
            await gone(child)


async def test_a_handler_may_wait_for_any_child_of_its_own() -> None:
    async with bench_of("waits_for_its_children") as bench:
        await bench.enqueue("waits_for_its_children")
        await bench.until_ended(1)
        assert bench.ended[0].outcome.result == "1"
