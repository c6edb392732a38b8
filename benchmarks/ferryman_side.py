"""One measure of Ferryman in a fresh process.

    python -m benchmarks.ferryman_side enqueue|enqueue50|enqueue1000|through|drain|idle COUNT

Prints one JSON line. The store is a SQLite file with synchronous=FULL; the server is what
`ferryman serve` runs, with 10 workers and room for 1,000 jobs in the channel.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import percentiles
from benchmarks.inprocess import serving, settings_for
from ferryman import Ferryman
from ferryman.program import new_event_loop

TEXT = "x" * 180


class Work:
    """The app under test: a handler that only notes when it started."""

    def __init__(self, folder: Path) -> None:
        self.settings = settings_for(folder, job_queue_capacity=1000)
        self.app = Ferryman(self.settings.database_url)
        self.starts: list[float] = []

        @self.app.job
        async def noop(text: str) -> None:  # noqa: ARG001 - a payload, as jobs have one
            self.starts.append(time.perf_counter())

        self.noop = noop


async def enqueue(work: Work, count: int, tasks: int) -> dict[str, float]:
    """`tasks` loops that each await one enqueue after another; no worker runs."""

    async def loop(share: int) -> None:
        for _ in range(share):
            await work.noop.aenqueue(TEXT)

    await work.noop.aenqueue(TEXT)
    began = time.perf_counter()
    await asyncio.gather(*(loop(count // tasks) for _ in range(tasks)))
    return {"per_second": count // tasks * tasks / (time.perf_counter() - began)}


async def through(work: Work, count: int) -> dict[str, float]:
    """Enqueue, claim, run and finish in one process, from the first enqueue to the last commit."""
    async with serving(work.app, work.settings) as (_, ends):
        began = time.perf_counter()
        await work.app.aenqueue_many(work.noop.call(TEXT) for _ in range(count))
        await ends.reach(count)
        return {"per_second": count / (time.perf_counter() - began)}


async def drain(work: Work, count: int) -> dict[str, float]:
    """Jobs that are there before the server starts, from its first start of a handler to the last commit."""
    await work.app.aenqueue_many(work.noop.call(TEXT) for _ in range(count))
    work.app.close()
    async with serving(work.app, work.settings) as (_, ends):
        await ends.reach(count)
        return {"per_second": count / (time.perf_counter() - work.starts[0])}


async def idle(work: Work, count: int) -> dict[str, float]:
    """From the call of enqueue to the start of the handler, on an idle server, one job at a time."""
    waits = []
    async with serving(work.app, work.settings) as (_, ends):
        for number in range(1, count + 1):
            await asyncio.sleep(0.02)
            sent = time.perf_counter()
            await work.noop.aenqueue(TEXT)
            await ends.reach(number)
            waits.append(work.starts[-1] - sent)
    return percentiles(waits)


async def main() -> None:
    """Run one measure."""
    measure, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as folder:
        work = Work(Path(folder))
        try:
            if measure.startswith("enqueue"):
                figures = await enqueue(work, count, int(measure.removeprefix("enqueue") or 1))
            else:
                figures = await {"through": through, "drain": drain, "idle": idle}[measure](work, count)
        finally:
            work.app.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    new_event_loop().run_until_complete(main())
