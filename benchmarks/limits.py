"""Whether a rate holds over several nodes, decided from the times in the claim rows.

    python -m benchmarks.limits --store postgres --nodes 4 --seconds 30 --rate 100 --burst 20

A queue with a limit has a backlog; so many node processes work at it for so long. A trigger keeps the time of every
claim row: no window of t seconds may hold more than rate x t + burst of them. Exit code 1 if one does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.postgres.places import place, server_for
from benchmarks.postgres.stores import migrate, store_at
from ferryman import Ferryman
from ferryman.domain.job import MICROS
from ferryman.domain.limits import Limit, Scope
from ferryman.store.factory import sqlite_path

ROOT = Path(__file__).parents[1]
TARGET = """
from ferryman import Ferryman

app = Ferryman()


@app.job(queue="limited")
async def noop() -> None: ...
"""
SQLITE_LOG = """
CREATE TABLE claimed (at INTEGER NOT NULL, jobs INTEGER NOT NULL);
CREATE TRIGGER note_claims AFTER INSERT ON claim BEGIN
    INSERT INTO claimed VALUES (new.claimed_at, json_array_length(new.jobs));
END;
"""
POSTGRES_LOG = """
CREATE TABLE ferryman.claimed (at bigint NOT NULL, jobs integer NOT NULL);
CREATE FUNCTION ferryman.note_claims() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ferryman.claimed VALUES (new.claimed_at, cardinality(new.ids));
    RETURN NULL;
END $$;
CREATE TRIGGER note_claims AFTER INSERT ON ferryman.claim FOR EACH ROW EXECUTE FUNCTION ferryman.note_claims();
"""
READ = "SELECT at, jobs FROM {schema}claimed ORDER BY at"


def log_claims(url: str) -> None:
    """Have the time of every claim kept."""
    path = sqlite_path(url)
    if path is not None:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(SQLITE_LOG)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(POSTGRES_LOG)


def claims(url: str) -> list[int]:
    """The time of every claimed job, in microseconds."""
    path = sqlite_path(url)
    rows: Sequence[tuple[Any, ...]]
    if path is not None:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(READ.format(schema="")).fetchall()
    else:
        with psycopg.connect(url) as connection:
            rows = connection.execute(READ.format(schema="ferryman.")).fetchall()
    return [at for at, jobs in rows for _ in range(jobs)]


def most_over(times: Sequence[int], rate: float) -> float:
    """By how many claims a window of t seconds is over rate x t, for the one that is most."""
    most = 0.0
    lowest = float("inf")
    for count, at in enumerate(times):
        debt = count - rate * at / MICROS
        lowest = min(lowest, debt)
        most = max(most, debt + 1 - lowest)
    return most


async def prepare(url: str, rate: float, burst: int) -> None:
    """Set the limit."""
    store = store_at(url)
    await store.open()
    await store.limit(Scope.QUEUE, "limited", Limit(rate=rate, burst=burst))
    await store.close()


def enqueue(url: str, backlog: int) -> None:
    """Fill the queue."""
    with Ferryman(url, accept_unknown_types=True) as app:

        @app.job(queue="limited")
        async def noop() -> None: ...

        app.enqueue_many(noop.call() for _ in range(backlog))


@contextlib.contextmanager
def working(url: str, nodes: int, folder: Path) -> Iterator[None]:
    """So many processes that run the jobs."""
    target = folder / "limited.py"
    target.write_text(TARGET)
    environment = {**os.environ, "FERRYMAN_DATABASE_URL": url, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "ferryman", "work", str(target)]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(nodes)
    ]
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(timeout=60)


def measure(url: str, asked: argparse.Namespace) -> bool:
    """Print what was claimed when; whether the rate held."""
    migrate(url)
    asyncio.run(prepare(url, asked.rate, asked.burst))
    log_claims(url)
    enqueue(url, asked.jobs)
    with tempfile.TemporaryDirectory(prefix="ferryman-bench-") as folder, working(url, asked.nodes, Path(folder)):
        while not claims(url):
            time.sleep(0.05)
        time.sleep(asked.seconds + 1)
    times = claims(url)
    end = times[0] + round(asked.seconds * MICROS)
    total = sum(at <= end for at in times)
    possible = asked.rate * asked.seconds + asked.burst
    over = most_over(times, asked.rate)
    held: bool = over <= asked.burst + 1e-6
    print(
        f"{asked.store}: {total} claims in {asked.seconds:g} s, {total / possible:.1%} of the {possible:g} possible;"
        f" the fullest window holds rate x t + {over:.2f} ({asked.burst} allowed): {'held' if held else 'BROKEN'}"
    )
    return held


def main() -> int:
    """Run it; the exit code says whether the rate held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--burst", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=10_000)
    asked = parser.parse_args()
    with server_for(asked.store) as server, place(server) as url:
        return 0 if measure(url, asked) else 1


if __name__ == "__main__":
    sys.exit(main())
