"""A worker process that ends under its handler, or never begins: told apart, an attempt spent, nobody else harmed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman import Context
from ferryman.domain.errors import HandlerKilled
from ferryman.domain.outcome import What
from ferryman.domain.retry import Fixed, RetryPolicy
from ferryman.domain.state import Status
from ferryman.engine.deaths import told
from ferryman.engine.frames import Bye, Ready, Unpacker, pack
from ferryman.engine.oom import OomKills
from ferryman.engine.origin import Origin
from tests.engine.processes import bench_of, error_of, payload, pipe_in, process_handler, process_of

pytestmark = pytest.mark.anyio
AT_ONCE = RetryPolicy(Fixed(0.0))


async def test_failure_hooks_hear_of_a_process_that_was_killed() -> None:
    heard: list[tuple[str, BaseException]] = []

    def hear(ctx: Context, error: BaseException) -> None:
        heard.append((ctx.job.id, error))

    async with bench_of("ends_its_process") as bench:
        bench.world.registry.hooks.on_failure(hear)
        (id,) = await bench.enqueue("ends_its_process", payload(how="SIGKILL"))
        await bench.until_ended(1)
    [(job, error)] = heard
    assert job == id
    assert isinstance(error, HandlerKilled)


@pytest.mark.parametrize(
    ("how", "code", "says"),
    [
        ("exit", "FM517", "The handler's process exited with code 9."),
        ("abort", "FM516", "The handler's process was killed by SIGABRT."),
        ("SIGSEGV", "FM516", "The handler's process was killed by SIGSEGV."),
        ("SIGKILL", "FM516", "The handler's process was killed by SIGKILL."),
        ("SIGTERM", "FM516", "The handler's process was killed by SIGTERM."),
    ],
)
async def test_how_the_process_ended_is_told_and_the_job_is_tried_again(how: str, code: str, says: str) -> None:
    async with bench_of(process_handler("ends_its_process", retry=AT_ONCE)) as bench:
        (id,) = await bench.enqueue("ends_its_process", payload(how=how))
        await bench.until_ended(2)
        first, second = [run.outcome for run in bench.ended]
        assert (first.what, error_of(first).code) == (What.FAILED, code)
        assert error_of(first).message.startswith(says)
        assert (second.what, second.result) == (What.DONE, "2")
        assert (await bench.job(id)).status is Status.COMPLETED


async def test_a_job_that_always_kills_its_process_ends_failed_and_harms_no_other() -> None:
    async with bench_of(process_handler("ends_its_process", retry=AT_ONCE), "double", workers=2) as bench:
        (poison,) = await bench.enqueue("ends_its_process", payload(how="always SIGKILL"), max_attempts=3)
        others = await bench.enqueue("double", payload(n=1), count=10)
        await bench.until_ended(13)
        job = await bench.job(poison)
        assert (job.status, job.attempt, job.error and job.error.code) == (Status.FAILED, 3, "FM516")
        assert {(each.status, each.attempt) for each in await bench.jobs(others)} == {(Status.COMPLETED, 1)}


async def test_a_crash_leaves_its_stack_on_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    async with bench_of("ends_its_process") as bench:
        await bench.enqueue("ends_its_process", payload(how="always SIGSEGV"), max_attempts=1)
        await bench.until_ended(1)
    assert "in ends_its_process" in capfd.readouterr().err


async def test_the_ends_of_processes_have_retry_rules_like_any_error() -> None:
    policy = RetryPolicy(Fixed(9.0), ((HandlerKilled, None),))
    async with bench_of(process_handler("ends_its_process", retry=policy)) as bench:
        await bench.enqueue("ends_its_process", payload(how="SIGKILL"))
        await bench.enqueue("ends_its_process", payload(how="exit"))
        await bench.until_ended(2)
        assert [(run.outcome.retryable, run.outcome.delay) for run in bench.ended] == [(False, None), (True, 9.0)]


@pytest.mark.parametrize(("kills", "code"), [([5, 6], "FM518"), ([5, 5], "FM516")])
async def test_a_kill_while_the_kernels_counter_grew_was_for_want_of_memory(kills: list[int], code: str) -> None:
    counter = iter(kills)
    async with bench_of("ends_its_process", oom_kills=lambda: next(counter)) as bench:
        await bench.enqueue("ends_its_process", payload(how="always SIGKILL"), max_attempts=1)
        await bench.until_ended(1)
        assert error_of(bench.ended[0].outcome).code == code


async def test_another_end_is_not_for_want_of_memory_whatever_the_counter_says() -> None:
    counter = iter([0, 1])
    async with bench_of("ends_its_process", oom_kills=lambda: next(counter)) as bench:
        await bench.enqueue("ends_its_process", payload(how="always SIGSEGV"), max_attempts=1)
        await bench.until_ended(1)
        assert error_of(bench.ended[0].outcome).code == "FM516"


async def test_a_sigterm_from_somebody_else_ends_the_run_as_killed(tmp_path: Path) -> None:
    with pipe_in(tmp_path) as pipe:
        async with bench_of("cleans_up") as bench:
            await bench.enqueue("cleans_up", payload(path=pipe.path), max_attempts=1)
            os.kill(int(await pipe.line()), signal.SIGTERM)
            assert await pipe.line() == "cleaned True"
            await bench.until_ended(1)
            assert "SIGTERM" in error_of(bench.ended[0].outcome).message


async def test_a_process_that_dies_while_it_is_idle_is_replaced() -> None:
    async with bench_of("whoami") as bench:
        await bench.enqueue("whoami")
        await bench.until_ended(1)
        process = process_of(bench)
        os.kill(process.pid, signal.SIGKILL)
        await process.ended
        await bench.enqueue("whoami")
        await bench.until_ended(2)
        assert bench.ended[1].outcome.what is What.DONE


# -- never begun -----------------------------------------------------------------------------------


def elsewhere(folder: Path, source: str, name: str = "double", module: str = "shop") -> Any:
    """The handler of `double`, as if it were written in a file."""
    file = folder / f"{module}.py"
    file.write_text(source)
    return process_handler("double", origin=Origin(module, str(file), name))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "import nothing_of_that_name",
            "The worker process could not import shop. ModuleNotFoundError: No module named",
        ),
        ("1 / 0", "The worker process could not import shop. ZeroDivisionError"),
        ("raise SystemExit(3)", "The worker process could not import shop. SystemExit: 3"),
        ("def (", "The worker process could not import shop. SyntaxError"),
        ("def double(n: int) -> int: ...", "The worker process found no job of type double for double in"),
    ],
)
async def test_a_module_that_cannot_be_used_fails_the_run(tmp_path: Path, source: str, says: str) -> None:
    async with bench_of(elsewhere(tmp_path, source), "whoami") as bench:
        await bench.enqueue("double", payload(n=1), max_attempts=1)
        await bench.enqueue("whoami")
        await bench.until_ended(2)
        failed, other = bench.ended
        error = error_of(failed.outcome)
        assert error.code == "FM521"
        assert error.message.startswith(says)
        assert ("shop.py" in (error.traceback or "")) == ("found no job" not in says)
        assert other.outcome.what is What.DONE


async def test_a_file_that_was_mended_is_imported_anew_at_the_next_attempt(tmp_path: Path) -> None:
    broken = msgspec.structs.replace(elsewhere(tmp_path, "1 / 0"), retry=AT_ONCE)
    async with bench_of(broken) as bench:
        await bench.enqueue("double", payload(n=4), max_attempts=2)
        await bench.until_ended(1)
        await bench.until(lambda: bench.ended[-1].outcome.what is What.FAILED)
        app = "from ferryman import Ferryman\napp = Ferryman()\n"
        elsewhere(tmp_path, f"{app}@app.job(process=True)\ndef double(n: int) -> int: return n * 100\n")
        await bench.until_ended(2)
        assert bench.ended[1].outcome.result == "400"


def test_the_main_modules_jobs_are_found_in_its_file(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio, os, sys\n"
        "from ferryman import Ferryman\n"
        "app = Ferryman()\n"
        "@app.job(process=True)\n"
        "def name() -> str: return __name__\n"
        "if __name__ == '__main__':\n"
        "    from tests.engine.processes import bench_of\n"
        "    async def play() -> None:\n"
        "        async with bench_of(app.registry.get('name')) as bench:\n"
        "            await bench.enqueue('name')\n"
        "            await bench.until_ended(1)\n"
        "            print(bench.ended[0].outcome.result or bench.ended[0].outcome.error)\n"
        "    asyncio.run(play())\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, str(script)], env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ('"script"\n', "")


async def test_a_job_that_was_declared_by_a_call_is_found_through_its_app(tmp_path: Path) -> None:
    app = "from ferryman import Ferryman\napp = Ferryman()\n"
    source = f"{app}def double(n: int) -> int: return n * 3\napp.job(process=True)(double)\n"
    async with bench_of(elsewhere(tmp_path, source)) as bench:
        await bench.enqueue("double", payload(n=1))
        await bench.until_ended(1)
        assert bench.ended[0].outcome.result == "3"


async def test_an_interpreter_that_cannot_be_started_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench_of("double") as bench:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        await bench.enqueue("double", payload(n=1), max_attempts=1)
        await bench.until_ended(1)
        error = error_of(bench.ended[0].outcome)
        assert error.code == "FM521"
        assert "/nowhere/python" in error.message


async def test_an_interpreter_that_ends_before_it_is_ready_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench_of("double") as bench:
        monkeypatch.setattr("ferryman.engine.processes.START", "import sys; sys.exit(7)")
        await bench.enqueue("double", payload(n=1), max_attempts=1)
        await bench.until_ended(1)
        error = error_of(bench.ended[0].outcome)
        assert error.code == "FM521"
        assert error.message.startswith("The worker process exited with code 7 before it was ready.")


def test_a_signal_without_a_name_is_told_by_its_number() -> None:
    assert "signal 35" in told(-35, ready=True, out_of_memory=False).what


# -- frames, counters ------------------------------------------------------------------------------


def test_frames_are_made_of_bytes_however_they_are_cut() -> None:
    unpacker = Unpacker()
    data = pack(Ready()) + pack(Bye())
    assert [frame for byte in data for frame in unpacker.feed(bytes([byte]))] == [Ready(), Bye()]
    assert list(unpacker.feed(data)) == [Ready(), Bye()]


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"proc/self/cgroup": "0::/app\n", "cg/app/memory.events": "oom 9\noom_kill 3\noom_group_kill 0\n"}, 3),
        ({"proc/self/cgroup": "0::/app\n", "cg/memory.events": "oom_kill 4\n"}, 4),
        ({"proc/self/cgroup": "4:cpu,memory:/a\n0::/\n", "cg/memory/a/memory.oom_control": "oom_kill 5\n"}, 5),
        ({"proc/self/cgroup": "4:memory:/a\n", "cg/memory/memory.oom_control": "oom_kill 6\n"}, 6),
        ({"proc/self/cgroup": "4:memory:/a\n", "cg/memory/a/memory.oom_control": "", "proc/vmstat": "oom_kill 7\n"}, 7),
        ({"proc/self/cgroup": "what?", "proc/vmstat": "nr_free_pages 1\noom_kill 8\n"}, 8),
        ({"proc/vmstat": "oom_kill many\n"}, 0),
        ({}, 0),
    ],
)
def test_the_nearest_counter_of_kills_is_read(tmp_path: Path, files: dict[str, str], count: int) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    kills = OomKills(tmp_path / "proc", tmp_path / "cg")
    assert kills() == count
    for name in files:
        (tmp_path / name).unlink()
    assert kills() == 0


def test_this_machines_counter_can_be_read() -> None:
    assert OomKills()() >= 0
