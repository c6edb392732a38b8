"""`ferryman serve` as a process of its own: what signals and deaths leave behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ferryman import main
from ferryman.domain.state import Status
from ferryman.engine.registry import Registry
from ferryman.settings import Settings
from ferryman.store.protocol import JobFilter
from ferryman.testing.serving import Server

JOBS = """
import threading, time
from ferryman import Context, Ferryman

app = Ferryman()

@app.job
async def noop() -> None: ...

@app.job_with_context
async def waits(ctx: Context, path: str) -> None:
    import asyncio
    open(path, "a").write(f"{ctx.job.id} {ctx.claim}\\n")
    await asyncio.Event().wait()

@app.job
def blocks_its_thread(path: str) -> None:
    open(path, "a").write("started\\n")
    threading.Event().wait()

@app.job
async def blocks_the_loop(path: str) -> None:
    open(path, "a").write("started\\n")
    while True:
        pass

@app.job
async def swallows(path: str) -> None:
    import asyncio
    open(path, "a").write("started\\n")
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.py"
    path.write_text(JOBS)
    return path


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Path]:
    """A pipe into which handlers write; whoever reads a line knows that they have started."""
    path = tmp_path / "seen"
    os.mkfifo(path)
    keep_open = os.open(path, os.O_RDWR)
    yield path
    os.close(keep_open)


Spawn = Callable[..., Server]


@pytest.fixture
def spawn(tmp_path: Path, target: Path) -> Iterator[Spawn]:
    """Start `ferryman serve` with settings; whatever is left of it goes with the test."""
    servers: list[Server] = []

    def start(**given: object) -> Server:
        servers.append(Server(target, tmp_path / "jobs.db", given))
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.process.wait(60)
        if server.process.stdout is not None:
            server.process.stdout.close()
        connection = getattr(server._local, "connection", None)
        if connection is not None:
            connection.close()


def stored(tmp_path: Path) -> list[Any]:
    """The jobs of the file once its server has ended."""

    async def read() -> list[Any]:
        server = main.Server(Settings(database_url=f"sqlite:///{tmp_path}/jobs.db"), Registry())
        await server.client.open()
        jobs = list(await server.client.list(JobFilter()))
        await server.client.close()
        return jobs

    return asyncio.run(read())


def test_sigterm_with_running_buffered_and_pending_jobs(tmp_path: Path, spawn: Spawn, seen: Path) -> None:
    server = spawn(WORKER_COUNT=2, STOP_DEADLINE="0.2")
    started: list[list[str]] = []
    with seen.open() as lines:
        for _ in range(20):
            assert server.call("POST", "/jobs", {"type": "waits", "payload": {"path": str(seen)}})[0] == 201
        started += [lines.readline().split() for _ in range(2)]
        assert server.stop() == main.CLEAN
        jobs = stored(tmp_path)
        assert {job.status for job in jobs} == {Status.PENDING}
        assert {job.attempt for job in jobs} == {0}, "neither a release nor an interruption spends an attempt"
        ran = [job.id for job in jobs if job.claim and job.id in {id for id, _ in started}]
        assert sorted(ran) == sorted(id for id, _ in started)
        again = spawn(WORKER_COUNT=20, STOP_DEADLINE="0.2")
        second = [lines.readline().split() for _ in range(20)]
        assert sorted(id for id, _ in second) == sorted(job.id for job in jobs), "all run after the restart, once each"
        assert again.stop() == main.CLEAN


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path, spawn: Spawn, seen: Path) -> None:
    server = spawn(STOP_DEADLINE="1h")
    with seen.open() as lines:
        server.call("POST", "/jobs", {"type": "waits", "payload": {"path": str(seen)}})
        lines.readline()
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == main.FORCED


def test_a_second_signal_ends_even_a_process_whose_loop_is_blocked(tmp_path: Path, spawn: Spawn, seen: Path) -> None:
    server = spawn(STOP_DEADLINE="1h")
    with seen.open() as lines:
        server.call("POST", "/jobs", {"type": "blocks_the_loop", "payload": {"path": str(seen)}, "delay": 0.2})
        lines.readline()
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == main.FORCED


def test_a_thread_that_will_not_end_makes_the_exit_code_4_and_loses_nothing(
    tmp_path: Path, spawn: Spawn, seen: Path
) -> None:
    server = spawn(STOP_DEADLINE="0.1")
    with seen.open() as lines:
        server.call("POST", "/jobs", {"type": "blocks_its_thread", "payload": {"path": str(seen)}})
        lines.readline()
        assert server.stop() == main.FORCED
    assert [(job.status, job.attempt) for job in stored(tmp_path)] == [(Status.PENDING, 0)]


def test_a_coroutine_that_will_not_end_does_not_keep_the_process(tmp_path: Path, spawn: Spawn, seen: Path) -> None:
    server = spawn(STOP_DEADLINE="0.1")
    with seen.open() as lines:
        server.call("POST", "/jobs", {"type": "swallows", "payload": {"path": str(seen)}})
        lines.readline()
        assert server.stop() == main.CLEAN
    assert [(job.status, job.attempt) for job in stored(tmp_path)] == [(Status.PENDING, 0)]


def test_jobs_of_a_killed_process_run_again(tmp_path: Path, spawn: Spawn, seen: Path) -> None:
    server = spawn()
    with seen.open() as lines:
        server.call("POST", "/jobs", {"type": "waits", "payload": {"path": str(seen)}})
        id, claim = lines.readline().split()
        server.process.kill()
        server.process.wait(60)
        again = spawn(STOP_DEADLINE="0.1")
        assert lines.readline().split() == [id, str(int(claim) + 1)]
        assert again.stop() == main.CLEAN
