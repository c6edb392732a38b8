"""What tests of worker processes share: their handlers, pipes to hear from them, the ends of processes."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ferryman.domain.job import JobError
from ferryman.domain.outcome import Outcome
from ferryman.engine.clock import SystemClock
from ferryman.engine.origin import Origin
from ferryman.engine.processes import HandlerProcess
from ferryman.engine.registry import Handler
from tests.engine import processes_target
from tests.engine.world import Bench


def process_handler(type: str, **changes: Any) -> Handler:
    """A handler of the target."""
    found = processes_target.app.registry.get(type)
    assert found is not None
    return msgspec.structs.replace(found, **changes)


def bench_of(*handlers: str | Handler, oom_kills: Callable[[], int] = lambda: 0, **options: Any) -> Bench:
    """A node that runs handlers of the target."""
    found = [process_handler(each) if isinstance(each, str) else each for each in handlers]
    bench = Bench(*found, clock=SystemClock(), **{"workers": 1, **options})
    bench.world = msgspec.structs.replace(bench.world, oom_kills=oom_kills)
    bench.node._world = bench.world
    return bench


def process_of(bench: Bench, worker: int = 1) -> HandlerProcess:
    """The process that a worker has now."""
    life = bench.node._life
    assert life is not None
    process = life.pool._workers[worker]._process
    assert process is not None
    return process


def payload(**arguments: Any) -> str:
    return msgspec.json.encode(arguments).decode()


def error_of(outcome: Outcome) -> JobError:
    assert outcome.error is not None
    return outcome.error


class Pipe:
    """Lines that handlers write."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        self._keep = os.open(path, os.O_RDWR)
        self._lines = path.open()

    async def line(self) -> str:
        """The next one, once it was written."""
        return (await asyncio.get_running_loop().run_in_executor(None, self._lines.readline)).strip()

    def close(self) -> None:
        self._lines.close()
        os.close(self._keep)


@contextmanager
def pipe_in(folder: Path) -> Iterator[Pipe]:
    pipe = Pipe(folder / "pipe")
    try:
        yield pipe
    finally:
        pipe.close()


async def gone(pid: int) -> None:
    """Wait until a process has ended, whoever its parent is."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = await asyncio.get_running_loop().run_in_executor(None, select.select, [pidfd], [], [], 60)
        assert ended, f"process {pid} lives on"
    finally:
        os.close(pidfd)


HEAD = """
import asyncio, os, signal, sys, threading
from ferryman import Context, Ferryman

app = Ferryman()
FOLDER = {folder!r}

def say(*words):
    with open(FOLDER + "/said", "a") as file:
        file.write(" ".join(map(str, words)) + "\\n")

def tell(*words):
    with open(FOLDER + "/pipe", "a") as pipe:
        pipe.write(" ".join(map(str, words)) + "\\n")

"""
"""What every module of `written` begins with."""


def written(folder: Path, source: str, *types: str, module: str = "shop", head: str = HEAD) -> list[Handler]:
    """The handlers of a module that is written into a folder; its worker processes are the first to import it."""
    file = folder / f"{module}.py"
    file.write_text(head.replace("{folder!r}", repr(str(folder))) + source)
    double = process_handler("double")
    return [msgspec.structs.replace(double, type=each, origin=Origin(module, str(file), each)) for each in types]


def said(folder: Path) -> list[str]:
    """What the handlers and hooks of `written` have said, in order."""
    file = folder / "said"
    return file.read_text().splitlines() if file.exists() else []
