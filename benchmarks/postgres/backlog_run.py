"""One measure of a deep queue, in a fresh process on an empty database.

    python -m benchmarks.postgres.backlog_run URL claims 1000000 --claims 200
    python -m benchmarks.postgres.backlog_run URL memory 1000000
    python -m benchmarks.postgres.backlog_run URL late 50000 --hold 5

Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time

from benchmarks.figures import percentiles
from benchmarks.postgres.late import late
from benchmarks.postgres.server import settle
from benchmarks.postgres.starts import TEXT
from benchmarks.postgres.stores import StoreNode, migrate
from ferryman import Ferryman
from ferryman.program import new_event_loop

SIZE = 100
"""How many jobs a claim takes."""
FILL = 5_000
"""How many jobs an insert of the fill brings."""
WARM = 20
"""Claims before those that count: plans are made, pages are read."""


async def claims(url: str, backlog: int, count: int) -> dict[str, float]:
    """How long claims of 100 jobs take while so many jobs are pending; each is finished and made up for, unmeasured."""
    node = StoreNode(url)
    await node.open()
    began = time.monotonic()
    for done in range(0, backlog, FILL):
        await node.insert(min(FILL, backlog - done))
    filled = time.monotonic() - began
    await settle(url)
    waits = []
    for _ in range(WARM + count):
        batch, took = await node.timed_claim(SIZE)
        if len(batch.jobs) != SIZE:
            raise RuntimeError(f"A claim gave {len(batch.jobs)} jobs, and {SIZE} were there.")
        waits.append(took)
        await node.complete(batch)
        await node.insert(SIZE)
    await node.close()
    return {**percentiles(waits[WARM:]), "filled_per_second": backlog / filled}


def memory(url: str, count: int) -> dict[str, float]:
    """What enqueue_many takes of a program's memory, beyond what a first call of it takes."""
    with Ferryman(url) as app:

        @app.job
        def noop(text: str) -> None: ...

        app.enqueue_many(noop.call(TEXT) for _ in range(10 * SIZE))
        before, began = _peak(), time.monotonic()
        app.enqueue_many(noop.call(TEXT) for _ in range(count))
        took = time.monotonic() - began
        return {"before_mib": before, "grown_mib": _peak() - before, "per_second": count / took}


def _peak() -> float:
    """The most memory that this process ever had in RAM, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("measure", choices=["claims", "memory", "late"])
    parser.add_argument("count", type=int)
    parser.add_argument("--claims", type=int, default=200)
    parser.add_argument("--hold", type=float, default=5.0)
    options = parser.parse_args()
    migrate(options.url)
    figures: dict[str, float]
    if options.measure == "memory":
        figures = memory(options.url, options.count)
    else:
        loop = new_event_loop()
        asyncio.set_event_loop(loop)
        if options.measure == "claims":
            figures = loop.run_until_complete(claims(options.url, options.count, options.claims))
        else:
            figures = loop.run_until_complete(late(options.url, options.count, options.hold))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
