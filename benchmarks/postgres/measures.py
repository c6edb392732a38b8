"""The measures, written once for every side: one of them in a fresh process on an empty database.

    python -m benchmarks.postgres.pgqueuer_side URL drain 20000 --processes 2 --with batch=500

Prints one JSON line. Rates are jobs per second, waits are milliseconds, memory is MiB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from benchmarks.figures import percentiles
from benchmarks.postgres.server import settle
from benchmarks.postgres.side import Side
from benchmarks.postgres.starts import Starts
from benchmarks.postgres.workers import work, workers
from ferryman.program import new_event_loop

O = TypeVar("O", bound=msgspec.Struct)  # noqa: E741
PAUSE = 0.02
"""Seconds for which a system idles between two jobs."""
LOOK = 0.01
"""Seconds between two looks for jobs that have started and not ended."""
Figures = dict[str, float]


async def enqueue(side: Side, count: int, callers: int) -> Figures:
    """`callers` loops that each await one durable enqueue after another; no worker runs."""

    async def loop(share: int) -> None:
        for _ in range(share):
            await side.enqueue()

    await asyncio.gather(*(side.enqueue() for _ in range(callers)))  # every connection has been used once
    share = max(1, count // callers)
    began = time.monotonic()
    await asyncio.gather(*(loop(share) for _ in range(callers)))
    return {"per_second": share * callers / (time.monotonic() - began)}


async def bulk(side: Side, count: int) -> Figures:
    """Many jobs through the call that is made for many; no worker runs."""
    await side.enqueue()
    began = time.monotonic()
    await side.enqueue_many(count)
    return {"per_second": count / (time.monotonic() - began)}


async def through(side: Side, starts: Starts, count: int) -> Figures:
    """One process enqueues in bulk while it works; from the first enqueue to the last committed end."""
    async with side.working():
        await side.enqueue()  # with its end the worker is up, and listens
        await starts.reach(1)
        await none_left(side)
        began = time.monotonic()
        await side.enqueue_many(count)
        await starts.reach(1 + count)
        await none_left(side)
        return {"per_second": count / (time.monotonic() - began)}


async def idle(side: Side, starts: Starts, count: int) -> Figures:
    """From the call of enqueue to the start of the handler in the same process, one job at a time."""
    waits = []
    async with side.working():
        for number in range(count + 1):
            await asyncio.sleep(PAUSE)
            sent = time.monotonic()
            await side.enqueue()
            await starts.reach(number + 1)
            waits.append(starts.times[-1] - sent)
        await none_left(side)
    return percentiles(waits[1:])  # the first one is on the worker's way up


async def across(side: Side, command: Sequence[str], count: int) -> Figures:
    """As `idle`, and the worker is another process."""
    sent = []
    async with workers(command, 1) as others:
        await others.begin()
        for number in range(count + 1):
            await asyncio.sleep(PAUSE)
            sent.append(time.monotonic())
            await side.enqueue()
            await others.reach(number + 1)
        await none_left(side)
        (report,) = await others.stop()
    waits = [started - at for at, started in zip(sent, report["starts"], strict=True)]
    return percentiles(waits[1:])


async def drain(side: Side, url: str, command: Sequence[str], count: int, processes: int) -> Figures:
    """Jobs that are there before the workers begin.

    `ended_per_second` counts from the first start of a handler to the last end that is committed, `per_second` to the
    last start: systems that write outcomes at their leisure have that long before.
    """
    await side.enqueue_many(count)
    await settle(url)
    async with workers(command, processes) as others:
        await others.begin()
        await others.reach(count)
        await none_left(side)
        ended = time.monotonic()
        reports = [report for report in await others.stop() if report["count"]]
    ran = sum(report["count"] for report in reports)
    if ran != count:
        raise RuntimeError(f"{count} jobs had {ran} runs.")
    first = min(report["starts"][0] for report in reports)
    last = max(report["starts"][-1] for report in reports)
    return {
        "per_second": (count - 1) / (last - first),
        "ended_per_second": count / (ended - first),
        "rss": max(report["rss"] for report in reports),
        "share": max(report["count"] for report in reports) / count,
    }


async def none_left(side: Side) -> None:
    """Wait until every job has ended; others end them, who cannot tell this process."""
    while await side.left():  # noqa: ASYNC110
        await asyncio.sleep(LOOK)


async def run(side: Side, starts: Starts, options: argparse.Namespace, command: Sequence[str]) -> Figures:
    """One measure, in an empty database."""
    await side.prepare()
    await side.open()
    try:
        count: int = options.count
        match options.measure:
            case "enqueue":
                return await enqueue(side, count, options.callers)
            case "bulk":
                return await bulk(side, count)
            case "through":
                return await through(side, starts, count)
            case "idle":
                return await idle(side, starts, count)
            case "across":
                return await across(side, command, count)
            case _:
                return await drain(side, options.url, command, count, options.processes)
    finally:
        await side.close()


def main(file: str, make: Callable[[str, Starts, O], Side], kind: type[O]) -> None:
    """The main of a side's file, which `make`s it from a URL, the starts, and options of a `kind`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("measure", choices=["enqueue", "bulk", "through", "idle", "across", "drain", "work"])
    parser.add_argument("count", type=int)
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--with", dest="given", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    given: dict[str, Any] = dict(pair.split("=", 1) for pair in options.given)
    starts = Starts()
    side = make(options.url, starts, msgspec.convert(given, kind, strict=False))
    loop = new_event_loop()
    if options.measure == "work":
        loop.run_until_complete(work(side, starts))
        return
    command = [sys.executable, "-m", f"benchmarks.postgres.{Path(file).stem}", options.url, "work", "0"]
    command += [f"--with={pair}" for pair in options.given]
    print(json.dumps(loop.run_until_complete(run(side, starts, options, command))))
