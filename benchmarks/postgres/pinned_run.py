"""One design under full churn, in a fresh process on an empty database.

    python -m benchmarks.postgres.pinned_run URL classic --seconds 120 --window 10 [--pinned]

Prints one JSON line: the rate of ended runs and the claims' p50 and p99, window by window.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext

import asyncpg

from benchmarks.postgres import classic
from benchmarks.postgres.churn import Churn
from benchmarks.postgres.classic import Classic
from benchmarks.postgres.contender import Contender, J
from benchmarks.postgres.stored import Stored
from benchmarks.postgres.stores import migrate
from ferryman.program import new_event_loop
from ferryman.store.factory import sqlite_path


@asynccontextmanager
async def old_snapshot(url: str) -> AsyncIterator[None]:
    """Another connection that saw the database before the block, and goes on seeing it so."""
    path = sqlite_path(url)
    if path is not None:
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("begin")
        reader.execute("select count(*) from sqlite_master").fetchall()
        yield
        reader.close()
        return
    connection = await asyncpg.connect(url)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.fetchval("select count(*) from pg_class")
        yield
    await connection.close()


async def run(nodes: Sequence[Contender[J]], options: argparse.Namespace) -> list[dict[str, float]]:
    """Connect, churn, and tell the windows."""
    for node in nodes:
        await node.open()
    churn = Churn(nodes)
    async with old_snapshot(options.url) if options.pinned else nullcontext():
        await churn.last(options.seconds)
    await asyncio.gather(*(node.close() for node in nodes))
    return churn.windows(options.window, options.seconds)


async def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("design", choices=["classic", "ferryman"])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--window", type=float, default=10.0)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--pinned", action="store_true")
    options = parser.parse_args()
    if options.design == "classic":
        await classic.make(options.url)
        windows = await run([Classic(options.url) for _ in range(options.nodes)], options)
    else:
        migrate(options.url)
        windows = await run([Stored(options.url) for _ in range(options.nodes)], options)
    print(json.dumps(windows))


if __name__ == "__main__":
    new_event_loop().run_until_complete(main())
