"""Lose a part of the answers while jobs are enqueued over HTTP, then count the jobs in the store.

    python -m tests.chaos.lost_replies --jobs 10000 --drop 0.2 --store sqlite|postgres --seed 1 [--break ids]

Half of the jobs go one by one, half in batches, by many tasks at once; the server is a process of its own, and a proxy
cuts connections once it has answered. The exit code is 0 if the store holds exactly the jobs that were said, each once,
1 if not, or if too few answers were lost, and 3 where it cannot be run. `--break ids` takes the ids out of the
requests: then jobs are doubled, and the campaign has to find that out.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import msgspec

from ferryman.connecting import client_of
from ferryman.domain.errors import FerrymanError
from ferryman.domain.job import Job
from ferryman.engine.clock import SystemClock
from ferryman.engine.registry import Registry
from ferryman.http.remote import Remote
from ferryman.settings import Settings
from ferryman.store.protocol import JobFilter
from ferryman.testing.serving import Server
from tests import results
from tests.chaos.lossy import DROPPED, LossyProxy
from tests.chaos.lost_replies_target import note
from tests.postgres.binaries import INSTALL, NoPostgres
from tests.postgres.databases import lent
from tests.postgres.schema import migrate

TARGET: Final = Path(__file__).with_name("lost_replies_target.py")
SINGLES: Final = 16
"""So many tasks enqueue one by one."""
BATCHES: Final = 4
"""So many tasks enqueue batches."""
BATCH: Final = 25
KEYED: Final = 7
"""Every so many-th job has a unique key, which its own earlier try has when it is said again."""
PATIENCE: Final = 60.0
PACE: Final = 20.0
"""A campaign has so many seconds, and one more for so many jobs."""
DEVIATIONS: Final = 4.0
"""By so many standard deviations fewer answers than expected may be lost: chance takes more once in 30,000 times."""


class Forgetful(httpx2.AsyncHTTPTransport):
    """Takes the ids out of what it carries: nobody can tell then that something is said again."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = msgspec.json.decode(request.content)
        for job in body.get("jobs", [body]):
            del job["id"]
        content = msgspec.json.encode(body)
        headers = {**request.headers, "content-length": str(len(content))}
        return await super().handle_async_request(
            httpx2.Request(request.method, request.url, headers=headers, content=content, extensions=request.extensions)
        )


class Said(msgspec.Struct):
    """What was enqueued, and what came back."""

    ids: dict[int, str | None] = {}
    """By the job's number the id that was told; None for those of a batch, whose ids nobody is told."""
    errors: list[str] = []


class Outcome(msgspec.Struct, frozen=True):
    """How a campaign ended."""

    said: int
    stored: int
    answers: Mapping[str, int]
    duration: float
    """Seconds."""
    violations: Sequence[str]


def main(arguments: Sequence[str]) -> int:
    """Read the options, run, report."""
    options = _options(arguments)
    commit = results.commit()
    with tempfile.TemporaryDirectory(prefix="ferryman-lost-replies-") as folder, contextlib.ExitStack() as stack:
        database = Path(folder) / "jobs.db"
        url = f"sqlite:///{database}"
        if options.store == "postgres":
            try:
                url = stack.enter_context(_fresh())
            except NoPostgres as error:
                sys.stderr.write(f"{error}\nThe campaign needs PostgreSQL: {INSTALL}\n")
                return 3
        found = run(url, database, options.jobs, options.drop, options.seed, broken=options.breakage is not None)
    told = {"store": options.store, "seed": options.seed, "drop": options.drop, **msgspec.to_builtins(found)}
    told["faults"] = len(found.violations)
    told["dropped"] = dropped = sum(found.answers.get(fate, 0) for fate in DROPPED)
    print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    print(
        f"lost replies: seed {options.seed}: {found.said} jobs said, {found.stored} stored; {dropped} of "
        f"{sum(found.answers.values())} answers lost; {len(found.violations)} violations"
    )
    if options.results is not None:
        results.add(options.results, "lost answers", commit, told)
    return int(bool(found.violations))


def run(url: str, database: Path, jobs: int, drop: float, seed: int, *, broken: bool = False) -> Outcome:
    """One campaign, on the store of a URL; logs go beside `database`."""
    began = time.monotonic()
    server = Server(TARGET, database, {"DATABASE_URL": url})
    try:
        said, answers = asyncio.run(_enqueue(server.url, jobs, drop, seed, broken=broken))
    finally:
        code = server.stop()
        server.close()
    stored = asyncio.run(stored_in(url))
    violations = [*said.errors, *judge(said.ids, stored)]
    if code:
        violations.append(f"the server ended with {code}")
    dropped = sum(answers[fate] for fate in DROPPED)
    expected = drop * sum(answers.values())
    if dropped < expected - DEVIATIONS * math.sqrt(expected * (1 - drop)):
        violations.append(f"only {dropped} of {sum(answers.values())} answers were lost")
    told = {str(fate): count for fate, count in sorted(answers.items())}
    return Outcome(len(said.ids), len(stored), told, round(time.monotonic() - began, 1), violations)


async def _enqueue(url: str, jobs: int, drop: float, seed: int, *, broken: bool) -> tuple[Said, Counter[Any]]:
    port = urlsplit(url).port
    assert port is not None
    said = Said()
    async with LossyProxy(port, drop, random.Random(seed)) as proxy:
        transport = Forgetful() if broken else None
        remote = Remote(proxy.url, retries=60, timeout=PATIENCE, transport=transport)
        numbers = iter(range(jobs // 2))
        batches = iter([range(at, min(at + BATCH, jobs)) for at in range(jobs // 2, jobs, BATCH)])
        try:
            async with asyncio.timeout(PATIENCE + jobs / PACE), asyncio.TaskGroup() as tasks:
                for _ in range(SINGLES):
                    tasks.create_task(_one_by_one(remote, numbers, said))
                for _ in range(BATCHES):
                    tasks.create_task(_in_batches(remote, batches, said))
        except TimeoutError:
            said.errors.append("the campaign did not end in time")
        finally:
            await asyncio.to_thread(remote.close)
    return said, proxy.fates


async def _one_by_one(remote: Remote, numbers: Iterator[int], said: Said) -> None:
    for n in numbers:
        try:
            call = note.call(n)
            handle = await remote.aenqueue(call.options(unique_key=f"note-{n}") if n % KEYED == 0 else call)
            said.ids[n] = handle.id
        except FerrymanError as error:
            said.errors.append(f"job {n}: {error}")


async def _in_batches(remote: Remote, batches: Iterator[range], said: Said) -> None:
    for numbers in batches:
        try:
            await remote.aenqueue_many(note.call(n) for n in numbers)
            said.ids |= dict.fromkeys(numbers)
        except FerrymanError as error:
            said.errors.append(f"jobs {numbers.start} to {numbers.stop - 1}: {error}")


async def stored_in(url: str) -> Sequence[Job]:
    """Every job that a store holds."""
    client = client_of(Settings(database_url=url), Registry(), SystemClock())
    await client.open()
    try:
        found: list[Job] = []
        while page := await client.list(JobFilter(limit=1000, after=found[-1].id if found else None)):
            found += page
        return found
    finally:
        await client.close()


def judge(said: Mapping[int, str | None], stored: Sequence[Job]) -> list[str]:
    """What is wrong with the jobs in a store: one for each that was said, under the id that was told, and no other."""
    numbers: dict[int, list[str]] = {}
    for job in stored:
        numbers.setdefault(msgspec.json.decode(job.payload)["n"], []).append(job.id)
    wrong = [f"job {n} was said, and is not stored" for n in said if n not in numbers]
    wrong += [f"job {n} is stored, and was not said" for n in numbers if n not in said]
    wrong += [f"job {n} is stored {len(ids)} times" for n, ids in numbers.items() if len(ids) > 1]
    wrong += [
        f"job {n} was told to be {id}, which is not stored for it"
        for n, id in said.items()
        if id is not None and n in numbers and id not in numbers[n]
    ]
    return wrong


@contextlib.contextmanager
def _fresh() -> Iterator[str]:
    """The URL of a new database with our tables."""
    with lent(os.environ, migrate) as databases:
        url = databases.fresh()
        try:
            yield url
        finally:
            databases.drop(url)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.lost_replies", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--drop", type=float, default=0.2, help="which share of the answers is lost")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--break", dest="breakage", choices=["ids"], help="send no ids: the campaign must see it")
    parser.add_argument("--results", type=Path, help="add the figures to this file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
