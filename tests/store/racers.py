"""Two operating system processes that race: each says, at a barrier, the verbs that it is sent."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final

from ferryman.domain.ids import IdMinter
from ferryman.engine.runner import ThreadRunner
from ferryman.store.sqlite import SqliteStore
from ferryman.testing.clock import ManualClock
from ferryman.testing.conformance import RETENTION
from ferryman.testing.conformance.heats import Call
from ferryman.testing.conformance.racing import say

PATIENCE: Final = 60.0
"""Seconds after which a racer that hears nothing gives up: only when the other one has died."""


class Racers:
    """A pair of processes, each with a connection of its own to one database at a time."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        # kept, for its semaphores go with it
        self._barrier = spawn.Barrier(2)
        self._lines: list[Connection[Any, Any]] = []
        self._processes: list[SpawnProcess] = []
        for number in range(2):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=race, args=(theirs, self._barrier, number), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)

    def run(self, database: Path, now: int, left: Call, right: Call) -> tuple[Any, Any]:
        """Let both say their verb at the same moment. An error of one is raised here."""
        for line, call in zip(self._lines, (left, right), strict=True):
            line.send((database, now, call))
        answers = [line.recv() for line in self._lines]
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers[0], answers[1]

    def close(self) -> None:
        """End both processes."""
        for line in self._lines:
            line.send(None)
            line.close()
        for process in self._processes:
            process.join()
            process.close()


def race(line: Connection[Any, Any], barrier: Barrier, number: int) -> None:
    """What each process does: a round per message, until there are no more."""
    while (message := line.recv()) is not None:
        database, now, call = message
        try:
            line.send(asyncio.run(_round(barrier, number, database, now, call)))
        except Exception as error:
            line.send(error)


async def _round(barrier: Barrier, number: int, database: Path, now: int, call: Call) -> Any:
    clock = ManualClock(now)
    ids = IdMinter(random.Random(number))
    store = SqliteStore(database, clock=clock, ids=ids, retention=RETENTION, runner=ThreadRunner)
    await store.open()
    try:
        barrier.wait(PATIENCE)
        return await say(store, call)
    finally:
        await store.close()
