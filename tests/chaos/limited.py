"""Jobs of which one may run at a time, whose holder is frozen for longer than its lease, or killed, again and again.

    python -m tests.chaos.limited --store postgres --by queue|key|sequence --seconds 60 --seed 1

The bound is a limit of their queue, the concurrency of their key, or that they are a sequence.

A trigger notes every claim in its own transaction, and how many runs are open then: never two. On PostgreSQL, where two
claims that did not wait for each other would not see each other either, it notes when each claim and each outcome is
written, too: no claim comes before the outcome of the last one. Exit code 1 if that does not hold, or if too little was
done to the nodes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import psycopg

from ferryman import Ferryman, PerKey, Sequence
from ferryman.declare import JobOptions
from ferryman.domain.ids import IdMinter
from ferryman.domain.limits import Limit, Scope
from ferryman.engine.clock import SystemClock
from ferryman.engine.runner import ThreadRunner
from ferryman.store.factory import make_store, sqlite_path
from ferryman.store.protocol import Retention
from tests.chaos.postgres.server import Server

LEASE: Final = 1.0
FROZEN: Final = 2.5
"""Seconds; longer than the lease."""
NODES: Final = 3
JOBS: Final = 20_000
DAY: Final = 24 * 3600 * 1_000_000
TARGET: Final = """
import asyncio

from ferryman import Ferryman, PerKey, Sequence

app = Ferryman()


@app.job(queue="one", max_attempts=1000, {declared})
async def nap() -> None:
    await asyncio.sleep(0.01)
"""
BOUNDS: Final[Mapping[str, JobOptions]] = {
    "queue": {},
    "key": {"per_key": PerKey(lambda: "one", concurrency=1)},
    "sequence": {"sequence": Sequence(lambda: "one")},
}
DECLARED: Final = {
    "queue": "",
    "key": 'per_key=PerKey(lambda: "one", concurrency=1)',
    "sequence": 'sequence=Sequence(lambda: "one")',
}
"""The same in the nodes' file."""
SQLITE_LOG: Final = """
CREATE TABLE claimed (place INTEGER PRIMARY KEY, id TEXT NOT NULL, number INTEGER NOT NULL, open INTEGER NOT NULL);
CREATE TABLE ended (id TEXT NOT NULL, number INTEGER NOT NULL, place INTEGER NOT NULL);
CREATE TRIGGER note_ends AFTER INSERT ON outcome BEGIN
    INSERT INTO ended SELECT new.id, new.number, coalesce(max(place), 0) FROM claimed;
END;
CREATE TRIGGER note_claims AFTER INSERT ON claim BEGIN
    INSERT INTO claimed (id, number, open) SELECT run.value ->> 0, run.value ->> 1, (
        SELECT count(*) FROM claim, json_each(claim.jobs) AS other
        WHERE NOT EXISTS (
            SELECT 1 FROM outcome WHERE outcome.id = other.value ->> 0 AND outcome.number = other.value ->> 1))
    FROM json_each(new.jobs) AS run;
END;
"""
POSTGRES_LOG: Final = """
CREATE TABLE ferryman.claimed (
    place timestamptz NOT NULL, id uuid NOT NULL, number integer NOT NULL, open integer NOT NULL);
CREATE TABLE ferryman.ended (id uuid NOT NULL, number integer NOT NULL, place timestamptz NOT NULL);
GRANT ALL ON ferryman.claimed, ferryman.ended TO PUBLIC;
CREATE FUNCTION ferryman.note_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ferryman.ended VALUES (new.id, new.number, clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER note_ends AFTER INSERT ON ferryman.outcome FOR EACH ROW EXECUTE FUNCTION ferryman.note_ends();
CREATE FUNCTION ferryman.note_claims() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ferryman.claimed SELECT clock_timestamp(), run.id, run.number, (
        SELECT count(*) FROM ferryman.claim CROSS JOIN LATERAL unnest(claim.ids, claim.numbers) AS other (id, number)
        WHERE NOT EXISTS (
            SELECT FROM ferryman.outcome WHERE outcome.id = other.id AND outcome.number = other.number))
    FROM unnest(new.ids, new.numbers) AS run (id, number);
    RETURN NULL;
END $$;
CREATE TRIGGER note_claims AFTER INSERT ON ferryman.claim FOR EACH ROW EXECUTE FUNCTION ferryman.note_claims();
"""
HOLDER: Final = "SELECT node.pid FROM {0}claim JOIN {0}node ON node.number = claim.node WHERE node.ended_at IS NULL"
RUNS: Final = """
SELECT claimed.place, ended.place, claimed.open, outcome.what
FROM {0}claimed
LEFT JOIN {0}ended ON ended.id = claimed.id AND ended.number = claimed.number
LEFT JOIN {0}outcome ON outcome.id = claimed.id AND outcome.number = claimed.number
ORDER BY claimed.place
"""


class Database:
    """The database of the nodes, as somebody looks at it who is none of them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._path = sqlite_path(url)

    def ask(self, text: str) -> list[tuple[Any, ...]]:
        """Rows."""
        if self._path is None:
            with psycopg.connect(self.url) as connection:
                return connection.execute(text.format("ferryman.").encode()).fetchall()
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            return connection.execute(text.format("")).fetchall()

    def log_claims(self) -> None:
        """Have every claim noted from now on."""
        if self._path is None:
            with psycopg.connect(self.url) as connection:
                connection.execute(POSTGRES_LOG.encode())
        else:
            with closing(sqlite3.connect(self._path)) as connection:
                connection.executescript(SQLITE_LOG)

    def holder(self) -> int | None:
        """The process that has the only slot."""
        rows = self.ask(HOLDER)
        return rows[0][0] if rows else None


class Nodes:
    """Processes that run the jobs."""

    def __init__(self, url: str, folder: Path, by: str) -> None:
        self._target = folder / "limited.py"
        self._target.write_text(TARGET.format(declared=DECLARED[by]))
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            "FERRYMAN_DATABASE_URL": url,
            "FERRYMAN_LEASE": f"{LEASE}s",
            "FERRYMAN_BEAT": "200ms",
        }
        self._log = (folder / "nodes.log").open("wb")
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self.unclean: list[int] = []
        """Exit codes of those that were asked to stop, but for 0."""

    def start(self) -> None:
        """One more."""
        command = [sys.executable, "-m", "ferryman", "work", str(self._target)]
        process = subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=self._log)
        self._running[process.pid] = process

    def kill(self, pid: int) -> None:
        """End one, and start another."""
        self._running.pop(pid).kill()
        self.start()

    def freeze(self, pid: int) -> None:
        """Stop one for longer than its lease."""
        os.kill(pid, signal.SIGSTOP)
        time.sleep(FROZEN)
        os.kill(pid, signal.SIGCONT)

    def has(self, pid: int | None) -> bool:
        """Whether it is one of these."""
        return pid in self._running

    def stop(self) -> None:
        """All of them."""
        for process in self._running.values():
            process.terminate()
        self.unclean = [code for process in self._running.values() if (code := process.wait(60))]
        self._running.clear()
        self._log.close()


async def prepare(url: str, by: str) -> None:
    """The tables, and the limit, if it is one of the queue."""
    keep = Retention(DAY, DAY, DAY)
    store = make_store(
        url, clock=SystemClock(), ids=IdMinter(random.Random()), retention=keep, runner=ThreadRunner, lease=LEASE
    )
    await store.open()
    if by == "queue":
        await store.limit(Scope.QUEUE, "one", Limit(1))
    await store.close()


def enqueue(url: str, by: str) -> None:
    """More than they will get done."""
    with Ferryman(url, accept_unknown_types=True) as app:
        declared: JobOptions = {"queue": "one", "max_attempts": 1000, **BOUNDS[by]}

        @app.job(**declared)
        async def nap() -> None: ...

        app.enqueue_many(nap.call() for _ in range(JOBS))


def storm(database: Database, nodes: Nodes, seconds: float, dice: random.Random) -> Counter[str]:
    """Freeze the holder, or kill it, until the time is over; gives how often which was done."""
    done: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.05, 0.5))
        pid = database.holder()
        if pid is None or not nodes.has(pid):
            continue
        harm = dice.choice(("frozen", "frozen", "killed"))
        nodes.freeze(pid) if harm == "frozen" else nodes.kill(pid)
        done[harm] += 1
    return done


def judge(runs: list[tuple[Any, ...]]) -> Iterator[str]:
    """What is wrong, in words."""
    crowded = [row for row in runs if row[2] > 1]
    if crowded:
        yield f"{len(crowded)} claims were made while another run was open"
    for (_, ended, _, what), (began, _, _, _) in pairwise(runs):
        if ended is None or began < ended:
            yield f"a claim at {began} came before the end of the last one at {ended} ({what})"


@contextmanager
def place(store: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database with our tables."""
    if store == "sqlite":
        yield f"sqlite:///{folder}/jobs.db"
        return
    with ExitStack() as stack:
        server = Server()
        stack.callback(server.close)
        server.start()
        yield server.url


def main(arguments: list[str]) -> int:
    """Read the options, run, report."""
    first = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.limited", description=first)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--by", choices=list(BOUNDS), default="queue")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ferryman-limited-") as name, place(asked.store, Path(name)) as url:
        asyncio.run(prepare(url, asked.by))
        database, nodes = Database(url), Nodes(url, Path(name), asked.by)
        database.log_claims()
        enqueue(url, asked.by)
        for _ in range(NODES):
            nodes.start()
        try:
            done = storm(database, nodes, asked.seconds, random.Random(asked.seed))
        finally:
            nodes.stop()
        runs = database.ask(RUNS)
        wrong = list(judge(runs)) + [f"a node ended with {code}" for code in nodes.unclean]
    ended = Counter(row[3] for row in runs)
    if done["frozen"] < asked.seconds / 20:
        wrong.append(f"only {done['frozen']} holders were frozen")
    print(f"{asked.store}, by {asked.by}, seed {asked.seed}: {len(runs)} claims ({dict(ended)}), holders {dict(done)}")
    for each in wrong[:20]:
        print(each)
    print(f"{len(wrong)} violations")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
