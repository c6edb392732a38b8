"""Full churn: jobs come in as fast as they end, and some of them come back.

A twentieth of all runs is retried after a second, another twentieth snoozes for two.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Generic

from benchmarks.figures import percentiles
from benchmarks.postgres.contender import Contender, Fate, J

CHUNK = 1000
"""How many jobs one insert brings."""
LIVE = 20_000
"""How many jobs may be there that have not ended; the inserter keeps it so."""
LIMIT = 500
"""How many jobs one claim takes at most."""
AHEAD = 2
"""How many claims may wait to be finished in a node."""
PROMOTING = 0.1
"""Seconds between two promotes."""
BEATING = 2.0
"""Seconds between two beats."""
EMPTY = 0.002
"""Seconds until the next claim when one found nothing."""


class Churn(Generic[J]):
    """All that happens in one run."""

    def __init__(self, nodes: Sequence[Contender[J]]) -> None:
        self._nodes = nodes
        self._live = 0
        self._room = asyncio.Event()
        self._runs = 0
        self.began = 0.0
        self.claims: list[tuple[float, float]] = []
        """(when it returned, seconds it took) of each claim that gave jobs."""
        self.finished: list[tuple[float, int]] = []
        """(when, how many runs) of each finish."""

    async def last(self, seconds: float) -> None:
        """Churn for so long."""
        parts: list[Coroutine[None, None, None]] = [self._insert(self._nodes[0]), self._promote(self._nodes[0])]
        for node in self._nodes:
            line: asyncio.Queue[Sequence[J]] = asyncio.Queue(AHEAD)
            parts += [self._claim(node, line), self._finish(node, line), self._beat(node)]
        self._room.set()
        self.began = time.monotonic()
        running = [asyncio.ensure_future(part) for part in parts]
        done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for part in running:
            part.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for part in done:
            part.result()  # none ends by itself, but by an error

    async def _insert(self, node: Contender[J]) -> None:
        while True:
            await self._room.wait()
            await node.insert(CHUNK)
            self._count(CHUNK)

    async def _claim(self, node: Contender[J], line: asyncio.Queue[Sequence[J]]) -> None:
        while True:
            began = time.monotonic()
            jobs = await node.claim(LIMIT)
            if jobs:
                self.claims.append((time.monotonic(), time.monotonic() - began))
                await line.put(jobs)
            else:
                await asyncio.sleep(EMPTY)

    async def _finish(self, node: Contender[J], line: asyncio.Queue[Sequence[J]]) -> None:
        while True:
            jobs = await line.get()
            ended = await node.finish([(job, self._fate()) for job in jobs])
            self.finished.append((time.monotonic(), len(jobs)))
            self._count(-ended)

    async def _promote(self, node: Contender[J]) -> None:
        while True:
            await node.promote()
            await asyncio.sleep(PROMOTING)

    async def _beat(self, node: Contender[J]) -> None:
        while True:
            await node.beat()
            await asyncio.sleep(BEATING)

    def _fate(self) -> Fate:
        self._runs += 1
        return {7: Fate.RETRIED, 17: Fate.SNOOZED}.get(self._runs % 20, Fate.DONE)

    def _count(self, jobs: int) -> None:
        self._live += jobs
        if self._live < LIVE:
            self._room.set()
        else:
            self._room.clear()

    def windows(self, length: float, seconds: float) -> list[dict[str, float]]:
        """The rate of ended runs and the percentiles of claims, for each window of the run."""
        told = []
        for number in range(max(1, int(seconds / length))):
            start = self.began + number * length
            waits = [took for at, took in self.claims if start <= at < start + length]
            runs = sum(count for at, count in self.finished if start <= at < start + length)
            told.append({"per_second": runs / length, **(percentiles(waits) if waits else {})})
        return told
