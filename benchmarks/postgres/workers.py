"""Worker processes of one side: they connect, wait for a word, work until they are told to stop, and report."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from benchmarks.figures import resident
from benchmarks.postgres.side import Side
from benchmarks.postgres.starts import Starts

TELLING = 0.02
"""Seconds from a start to the word about it: many starts share one."""
FEW = 10_000
"""Up to so many starts a worker reports them all; of more, only the first and the last."""


async def work(side: Side, starts: Starts) -> None:
    """The worker's part: the main of its process."""
    loop = asyncio.get_running_loop()
    heard = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(heard), sys.stdin)
    await side.open()
    _say(0)
    await heard.readline()
    starts.listener = _Teller(starts, loop)
    async with side.working():
        await heard.readline()
        _say({"rss": resident(os.getpid()), **_report(starts)})
        starts.listener = None
    await side.close()


def _report(starts: Starts) -> dict[str, Any]:
    times = starts.times
    told = times.tolist() if len(times) <= FEW else [times[0], times[-1]]
    return {"count": len(times), "starts": told}


class _Teller:
    """Tells how many handlers have started, a moment after they did; says nothing in a process that idles."""

    def __init__(self, starts: Starts, loop: asyncio.AbstractEventLoop) -> None:
        self._starts = starts
        self._loop = loop
        self._asked = False

    def __call__(self) -> None:
        if not self._asked:
            self._asked = True
            self._loop.call_later(TELLING, self._tell)

    def _tell(self) -> None:
        self._asked = False
        _say(len(self._starts.times))


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Workers:
    """The other end: all worker processes of one measure."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes
        self._counts = [0] * len(processes)
        self._wanted = 0
        self._reached: asyncio.Future[None] | None = None
        self._reports: list[dict[str, Any]] = []
        self._readers: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Once all are ready, let them work."""
        for process in self._processes:
            if not await _line(process):
                raise RuntimeError("A worker process ended before it was ready.")
        for number, process in enumerate(self._processes):
            self._readers.append(asyncio.create_task(self._read(number, process)))
            _tell(process, "go")

    async def reach(self, count: int) -> None:
        """Wait until so many handlers have started in all of them together."""
        self._wanted, self._reached = count, asyncio.get_running_loop().create_future()
        self._look()
        await asyncio.wait([self._reached, *self._readers], return_when=asyncio.FIRST_COMPLETED)
        if not self._reached.done():
            raise RuntimeError("A worker process ended early.")

    async def stop(self) -> list[dict[str, Any]]:
        """Let them stop, and give what each reports: `count`, `rss` in MiB, `starts` (sorted)."""
        for process in self._processes:
            _tell(process, "stop")
        await asyncio.gather(*self._readers)
        if len(self._reports) < len(self._processes):
            raise RuntimeError("A worker process ended without a report.")
        return self._reports

    async def _read(self, number: int, process: Process) -> None:
        while line := await _line(process):
            said = json.loads(line)
            if isinstance(said, dict):
                self._reports.append(said)
            else:
                self._counts[number] = said
                self._look()

    def _look(self) -> None:
        if self._reached is not None and not self._reached.done() and sum(self._counts) >= self._wanted:
            self._reached.set_result(None)


async def _line(process: Process) -> bytes:
    assert process.stdout is not None
    return await process.stdout.readline()


def _tell(process: Process, word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n".encode())


@asynccontextmanager
async def workers(command: Sequence[str], count: int) -> AsyncIterator[Workers]:
    """So many worker processes, connected and waiting for `begin`; none is left afterwards."""
    async with AsyncExitStack() as stack:
        processes = []
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=2**20)
            stack.push_async_callback(_end, process)
            processes.append(process)
        yield Workers(processes)


async def _end(process: Process) -> None:
    """Let go of its input, at whose end it stops, and wait; when all went well it has stopped."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 30)
    except TimeoutError:
        process.kill()
        await process.wait()
