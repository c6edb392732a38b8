"""Fill a store with very many jobs, as a busy shop has them after some hours, through the store's own verbs.

    python -m benchmarks.dashboard.seeding URL --jobs 1000000

Of a hundred jobs 80 have completed, 10 have failed in one of some forty ways, 4 were cancelled, 3 have their time, 3
stand in a queue that is paused. Jobs come in at an even rate over the last hours, each run ends a moment later, and
each minute has its sample, so that charts have something to show. Types, queues and errors are drawn alike each time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from benchmarks.postgres.stores import migrate, store_at
from ferryman.domain.claim import ClaimRequest
from ferryman.domain.events import Ended, Events, RunsEnded
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob, JobError, NewJob
from ferryman.domain.limits import Scope
from ferryman.domain.outcome import Outcome, Run, What, decide
from ferryman.domain.report import Report
from ferryman.domain.series import MINUTE
from ferryman.engine.clock import SystemClock
from ferryman.engine.firing import DeclareSchedules, FireSchedules
from ferryman.engine.registry import Registry
from ferryman.engine.sampling import Sampler
from ferryman.program import new_event_loop
from ferryman.store.protocol import NodeInfo, Store
from ferryman.testing.clock import ManualClock
from ferryman.testing.kit.client import NobodyWakes
from ferryman.version import VERSION

HOURS: Final = 12
PORTION: Final = 1_000
"""So many jobs are written at once."""
PAUSE: Final = 10.0
"""Seconds between two words about how far it is."""
PAUSED: Final = "backlog"
QUEUES: Final = ("mail", "billing", "images", "reports", "webhooks", "default")
TYPES: Final = tuple(f"{queue}.{verb}" for queue in QUEUES[:-1] for verb in ("send", "check", "clean", "retry"))
LATE: Final = "later.remind"
CUSTOMERS: Final = 10_000
WAYS: Final = (
    ("ConnectionError", "No answer from {host} after {n} ms", "http.py", "get"),
    ("TimeoutError", "the server took longer than {n} s", "http.py", "get"),
    ("ValueError", "no such customer: {n}", "customers.py", "load"),
    ("KeyError", "'{word}'", "orders.py", "total"),
    ("PermissionError", "[Errno 13] Permission denied: '/srv/{word}/{n}.pdf'", "files.py", "write"),
    ("Declined", "card {hex} was declined", "cards.py", "charge"),
    ("UnicodeDecodeError", "'utf-8' codec can't decode byte 0xff in position {n}", "text.py", "read"),
    ("RuntimeError", "worker {hex} gave up on {word}", "images.py", "scale"),
)
"""How jobs fail: the exception, its message, and where it was raised; each in one of five modules."""
WORDS: Final = ("invoice", "letter", "poster", "label", "receipt")


class Minute(NamedTuple):
    """What a minute brings."""

    jobs: int
    """That come in."""
    room: int
    """So many run at most; the others are there still in the next one."""


class Shop(Protocol):
    """Whose jobs they are, and how they end."""

    ids: IdMinter
    registry: Registry
    """Whose schedules fire meanwhile."""
    types: frozenset[str]
    """What the node knows."""

    def queues(self) -> frozenset[str] | None:
        """Those whose jobs are run; None is all."""
        ...

    def jobs(self, count: int, now: int) -> list[NewJob]:
        """So many that have come in by a time, the first one first."""
        ...

    def run(self, job: ClaimedJob, now: int) -> Ended:
        """Run a job in the minute that ends now."""
        ...

    def said(self) -> Sequence[Report]:
        """What runs have said since this was asked last."""
        ...


class BusyShop:
    """Thinks of the jobs; the same ones for one seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.ids = IdMinter(self._random)
        self.registry = Registry()
        self.types = frozenset(TYPES)

    def queues(self) -> frozenset[str]:
        """All but the one that is paused."""
        return frozenset(QUEUES)

    def said(self) -> Sequence[Report]:
        """Nothing."""
        return ()

    def jobs(self, count: int, now: int) -> list[NewJob]:
        """So many that come in at a time."""
        return [self._job(now) for _ in range(count)]

    def _job(self, now: int) -> NewJob:
        draw = self._random
        customer = draw.randrange(CUSTOMERS)
        payload = f'{{"customer":{customer},"order":"{draw.getrandbits(40):010x}","lines":[{{"n":1}},{{"n":2}}]}}'
        type = draw.choice(TYPES)
        share = draw.random()
        tags = (draw.choice(("nightly", "web", "import")),) if share < 0.3 else ()
        queue, run_at = type.partition(".")[0], None
        if share > 0.97:
            queue = PAUSED
        elif share > 0.94:
            type, run_at = LATE, int(time.time() + draw.randrange(3_600, 86_400)) * MICROS
        return NewJob(
            self.ids.mint(now), type, payload, now, queue=queue, max_attempts=1, run_at=run_at, tags=tags,
            priority=draw.choice((3, 5, 5, 5, 7)),
        )  # fmt: skip

    def run(self, job: ClaimedJob, now: int) -> Ended:
        """One of the ways in which jobs end."""
        draw = self._random.random()
        run = Run(self.ids.number(), 1 + self._random.randrange(10), now)
        after = now + self._random.randrange(5_000, 900_000)
        if draw < 10 / 94:
            outcome = Outcome(What.FAILED, error=self._error(), retryable=False)
        elif draw < 14 / 94:
            outcome = Outcome(What.CANCELLED)
        else:
            outcome = Outcome(What.DONE, result='{"sent":true}')
        return Ended(job, outcome, decide(job, outcome, run, after))

    def _error(self) -> JobError:
        draw = self._random
        exception, message, file, function = draw.choice(WAYS)
        module = draw.choice(WORDS)
        host = f"10.0.{draw.randrange(256)}.{draw.randrange(256)}"
        said = message.format(host=host, n=draw.randrange(100_000), hex=f"{draw.getrandbits(48):012x}", word=module)
        frames = (("/srv/shop/jobs.py", 40, "run"), (f"/srv/shop/{module}/{file}", draw.randrange(10, 300), function))
        lines = [f'  File "{path}", line {line}, in {name}\n    {name}()' for path, line, name in frames]
        trace = "\n".join(["Traceback (most recent call last):", *lines, f"shop.{exception}: {said}"])
        return JobError("FM501", exception, said, trace)


class Seeder:
    """One node that lives through the last hours at once, minute by minute."""

    def __init__(self, store: Store, shop: Shop, tell: Callable[[int], None], *, host: str = "seed") -> None:
        """`tell` is called with the number of jobs that have come in so far."""
        self._store = store
        self._shop = shop
        self._tell = tell
        self._host = host
        self._node = 0

    async def fill(self, minutes: Iterable[Minute], begin: int) -> None:
        """Live through them; the first one begins at a time, in microseconds."""
        store, shop = self._store, self._shop
        clock = ManualClock(begin // MINUTE * MINUTE)
        sampler = Sampler(store, clock, lambda: self._node)
        schedules = FireSchedules(store, clock, shop.ids, NobodyWakes(), Events())
        info = NodeInfo(shop.ids.mint(begin), self._host, os.getpid(), VERSION, shop.types, None, 10)
        self._node = await store.register(info, begin)
        await DeclareSchedules(store, clock, shop.registry).step()
        done = 0
        for minute in minutes:
            clock.advance(60)
            await schedules.step()
            await self._insert(minute.jobs, clock.now())
            await self._run(minute.room, clock.now(), sampler)
            await sampler.step()
            done += minute.jobs
            self._tell(done)
        await store.retire(self._node, clock.now())

    async def _insert(self, count: int, now: int) -> None:
        jobs = self._shop.jobs(count, now)
        for first in range(0, len(jobs), PORTION):
            await self._store.insert(jobs[first : first + PORTION], now)

    async def _run(self, room: int, now: int, sampler: Sampler) -> None:
        """Run what is there, and what that makes possible, as far as there is room."""
        store, shop = self._store, self._shop
        while room > 0:
            await store.promote(now, PORTION)  # also the step of a node's sweeper by which counts are folded
            await store.admit(now, PORTION)
            most = min(room, PORTION)
            request = ClaimRequest(
                self._node, shop.ids.number(), shop.types, shop.queues(), most, most, alone=True
            )  # fmt: skip
            batch = await store.claim(request, now)
            if not batch.jobs:
                break
            room -= len(batch.jobs)
            ended = [shop.run(job, now) for job in batch.jobs]
            store.beat(self._node)
            if said := shop.said():
                await store.report(self._node, said)
            await store.finish(self._node, [each.finish for each in ended], now)
            sampler.listen(RunsEnded(ended))


def evenly(count: int) -> Iterator[Minute]:
    """So many jobs in the last hours, as many in each minute as in any other."""
    minutes = HOURS * 60
    for minute in range(minutes):
        yield Minute(count * (minute + 1) // minutes - count * minute // minutes, count)


async def seed(store: Store, count: int, tell: Callable[[int], None]) -> None:
    """Fill an empty store."""
    await store.open()
    try:
        await store.pause(Scope.QUEUE, PAUSED, True)
        begin = SystemClock().now() - HOURS * 60 * MINUTE
        await Seeder(store, BusyShop(), tell).fill(evenly(count), begin)
    finally:
        await store.close()


def main() -> None:
    """Read the options and fill."""
    parser = argparse.ArgumentParser(description="Fill a store with very many jobs.")
    parser.add_argument("url", help="of an empty database")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    options = parser.parse_args()
    migrate(options.url)
    began = told = time.monotonic()

    def tell(done: int) -> None:
        nonlocal told
        if time.monotonic() - told >= PAUSE:
            told = time.monotonic()
            print(f"{done:,} jobs, {done / (told - began):,.0f}/s", file=sys.stderr, flush=True)

    new_event_loop().run_until_complete(seed(store_at(options.url), options.jobs, tell))
    print(json.dumps({"jobs": options.jobs, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
