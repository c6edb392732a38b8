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
from collections.abc import Callable, Iterable
from typing import Final

from benchmarks.postgres.stores import migrate, store_at
from ferryman.domain.claim import ClaimRequest
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob, JobError, NewJob
from ferryman.domain.limits import Scope
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.engine.clock import SystemClock
from ferryman.program import new_event_loop
from ferryman.store.protocol import NodeInfo, Store
from ferryman.version import VERSION

HOURS: Final = 12
MINUTE: Final = 60 * MICROS
PORTION: Final = 1_000
"""So many jobs are written at once."""
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


class Shop:
    """Thinks of the jobs; the same ones for one seed."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.ids = IdMinter(self._random)

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

    def ended(self, job: ClaimedJob, now: int) -> Finish:
        """How a run ends."""
        draw = self._random.random()
        run = Run(self.ids.number(), 1 + self._random.randrange(10), now)
        after = now + self._random.randrange(5_000, 900_000)
        if draw < 10 / 94:
            outcome = Outcome(What.FAILED, error=self._error(), retryable=False)
        elif draw < 14 / 94:
            outcome = Outcome(What.CANCELLED)
        else:
            outcome = Outcome(What.DONE, result='{"sent":true}')
        return decide(job, outcome, run, after)

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
    """One node that lives through the last hours at once."""

    def __init__(self, store: Store, shop: Shop, tell: Callable[[int], None]) -> None:
        self._store = store
        self._shop = shop
        self._tell = tell
        self._node = 0

    async def fill(self, count: int, now: int) -> None:
        """All jobs, the latest of them a minute ago."""
        await self._store.open()
        known = frozenset({*TYPES, LATE})
        info = NodeInfo(self._shop.ids.mint(now), "seed", os.getpid(), VERSION, known, None, 10)
        self._node = await self._store.register(info, now)
        await self._store.pause(Scope.QUEUE, PAUSED, True)
        portions = -(-count // PORTION)
        begin, span = now - HOURS * 60 * MINUTE, (HOURS * 60 - 1) * MINUTE
        sampled = begin // MINUTE
        for portion in range(portions):
            at = begin + span * portion // portions
            while sampled < at // MINUTE:
                sampled += 1
                await self._store.sample(sampled * MINUTE, self._node, ())
            await self._live(min(PORTION, count - portion * PORTION), at)
            self._tell(min((portion + 1) * PORTION, count))
        await self._store.close()

    async def _live(self, count: int, at: int) -> None:
        """One portion comes in, runs and ends."""
        await self._store.insert(self._shop.jobs(count, at), at)
        request = ClaimRequest(
            self._node, self._shop.ids.number(), frozenset(TYPES), frozenset(QUEUES), PORTION, PORTION, alone=True
        )
        batch = await self._store.claim(request, at)
        finishes: Iterable[Finish] = [self._shop.ended(job, at) for job in batch.jobs]
        self._store.beat(self._node)
        await self._store.finish(self._node, [*finishes], at + MICROS)
        await self._store.promote(at, PORTION)  # the step of a node's sweeper by which counts are folded


def main() -> None:
    """Read the options and fill."""
    parser = argparse.ArgumentParser(description="Fill a store with very many jobs.")
    parser.add_argument("url", help="of an empty database")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    options = parser.parse_args()
    migrate(options.url)
    began = time.monotonic()

    def tell(done: int) -> None:
        if done % 100_000 == 0:
            print(f"{done:,} jobs, {done / (time.monotonic() - began):,.0f}/s", file=sys.stderr, flush=True)

    seeder = Seeder(store_at(options.url), Shop(), tell)
    new_event_loop().run_until_complete(seeder.fill(options.jobs, SystemClock().now()))
    print(json.dumps({"jobs": options.jobs, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
