"""Give an empty store a day that the shop of the demonstration has had: `python -m tests.browser.past URL`.

The jobs are those of `ferryman demo`, and their own handlers run them, in a time that nobody waits for. More come by
day than by night. Before the end the world outside is in trouble for some minutes: more fails, fewer jobs have room.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import random
import sys
import time
from collections.abc import Awaitable, Iterator
from typing import Any, Final

import msgspec

from benchmarks.dashboard.seeding import Minute, Seeder
from benchmarks.postgres.stores import migrate, store_at
from ferryman.client.admission import Admission
from ferryman.demo.shop import Shop
from ferryman.demo.surroundings import Surroundings
from ferryman.domain import strictjson
from ferryman.domain.events import Ended
from ferryman.domain.ids import IdMinter
from ferryman.domain.job import MICROS, ClaimedJob, NewJob
from ferryman.domain.outcome import Outcome, Run, decide
from ferryman.domain.report import Line, Progress, Report
from ferryman.domain.series import MINUTE
from ferryman.engine import endings
from ferryman.engine.clock import SystemClock
from ferryman.engine.context import JobView
from ferryman.engine.registry import Handler
from ferryman.engine.running import Reason
from ferryman.program import new_event_loop
from ferryman.store.protocol import Clock, Store
from ferryman.testing.clock import ManualClock

MINUTES: Final = 24 * 60
NIGHT, DAY = 5, 90
"""Jobs a minute."""
NEWS: Final = range(530, 560)
"""So many minutes before the end twice as many come."""
TROUBLE: Final = range(28, 37)
WORSE: Final = 15.0
"""So many times as much goes wrong then."""
LATEST: Final = 90
"""Minutes before the end: then most jobs come."""
LITTLE, PLENTY = 0.85, 1.8
"""So many times what usually comes has room."""
MAX_RESULT: Final = 1 << 20
WORKERS: Final = 10
HOST: Final = "shop-0"
"""The machine of the node that has lived then."""


class Outside(Surroundings):
    """Surroundings in which time passes at once: how much of it, they remember."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(dice, rest=self._wait, block=self._pass)
        self.trouble = 1.0
        """How many times as often as usual things happen that seldom do."""
        self.passed = 0.0
        """Seconds since the run under way has begun."""
        self.timeout = math.inf

    def begin(self, handler: Handler) -> None:
        """A run begins; it may not take longer than its handler says."""
        self.passed = 0.0
        self.timeout = handler.timeout if isinstance(handler.timeout, float | int) else math.inf

    def happens(self, share: float) -> bool:
        """As ever, unless there is trouble."""
        return super().happens(min(0.8, share * self.trouble) if share < 0.5 else share)

    def live(self, coroutine: Any) -> Any:
        """What a coroutine returns that waits for nothing but the time. Raises CancelledError: it takes too long."""
        try:
            while self.passed <= self.timeout:
                coroutine.send(None)
            self.passed = self.timeout
            coroutine.throw(asyncio.CancelledError())
        except StopIteration as end:
            return end.value

    def _wait(self, seconds: float) -> Awaitable[None]:
        self._pass(seconds)
        return asyncio.sleep(0)

    def _pass(self, seconds: float) -> None:
        self.passed += seconds


class Telling:
    """What a handler has of its run: stands for the `Context`, and for its log."""

    def __init__(self, job: ClaimedJob, around: Outside, started_at: int, admission: Admission) -> None:
        self.job = JobView(job)
        self.log = self
        self.lines: list[Line] = []
        self.said: Progress | None = None
        self.follow_ups: list[NewJob] = []
        self._around = around
        self._started_at = started_at
        self._admission = admission

    @property
    def now(self) -> int:
        """What the clock would show."""
        return self._started_at + round(self._around.passed * MICROS)

    def info(self, message: str, *arguments: object) -> None:
        """As a logger does."""
        self.lines.append(Line(self.now, "info", "ferryman.handler", message % arguments))

    def warning(self, message: str, *arguments: object) -> None:
        """As a logger does."""
        self.lines.append(Line(self.now, "warning", "ferryman.handler", message % arguments))

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """As the Context does."""
        self.said = Progress(done, total, message, self.now)

    def enqueue(self, call: Any) -> None:
        """As the Context does."""
        self.follow_ups.append(self._admission.admit(call.request))


class Past:
    """The shop, for the one who seeds: see `seeding.Shop`."""

    def __init__(self, seed: int = 1) -> None:
        self._dice = random.Random(seed)
        self._around = Outside(self._dice)
        shop = Shop(self._around)
        self._orders = shop.orders
        self.registry = shop.app.registry
        self.types = self.registry.types
        self.ids = IdMinter(self._dice)
        self._clock = ManualClock()
        self._admission = Admission(self.registry, self._clock, self.ids)
        self._reports: list[Report] = []
        self._due: dict[str, int] = {}
        """When jobs are due that are tried again: a claim does not say so."""

    def queues(self) -> None:
        """All of them."""
        return

    def course(self, begin: int, minutes: int, clock: Clock, wait: bool) -> Iterator[Minute]:
        """So many minutes, those that pass meanwhile, and, if it is to wait for its end, the one under way."""
        for left in itertools.count(minutes, -1):
            over = begin + (minutes - left + 1) * MINUTE - clock.now()
            if over > 0:
                if not wait:
                    return
                time.sleep(over / MICROS)
            wave = (1 + math.cos(math.tau * (left - LATEST) / MINUTES)) / 2
            usual = (NIGHT + (DAY - NIGHT) * wave**3) * (2 if left in NEWS else 1)
            self._around.trouble = WORSE if left in TROUBLE else 1.0
            room = usual * (LITTLE if left in TROUBLE else PLENTY)
            yield Minute(max(1, round(self._dice.gauss(usual, math.sqrt(usual) / 2))), round(room))
            if over > 0:
                return

    def jobs(self, count: int, now: int) -> list[NewJob]:
        """They have come in all over the minute."""
        weights = [order.weight for order in self._orders]
        chosen = self._dice.choices(self._orders, weights, k=count)
        times = sorted(now - self._dice.randrange(MINUTE) for _ in chosen)
        return [self._job(order.call(self._dice).request, at) for order, at in zip(chosen, times, strict=True)]

    def _job(self, request: Any, at: int) -> NewJob:
        self._clock.jump((at - self._clock.now()) / MICROS)
        return self._admission.admit(request)

    def run(self, job: ClaimedJob, now: int) -> Ended:
        """Let its handler run it."""
        around, handler = self._around, self.registry.get(job.type)
        assert handler is not None
        due = self._due.pop(job.id, max(job.created_at, job.run_at or 0))
        waited = self._dice.lognormvariate(-4, 0.9) * around.trouble
        started_at = max(due, now - MINUTE) + round(waited * MICROS)
        around.begin(handler)
        telling = Telling(job, around, started_at, self._admission)
        outcome = self._outcome(job, handler, telling)
        run = Run(self.ids.number(), self._dice.randrange(1, WORKERS + 1), started_at)
        if telling.lines or telling.said:
            said = Report(job.id, job.number, job.attempt, job.batch, run.token, telling.said, 0, telling.lines)
            self._reports.append(said)
        over = telling.now + self._dice.randrange(200, 4_000)
        finish = decide(job, outcome, run, over)
        if finish.run_at is not None:
            self._due[job.id] = finish.run_at
        return Ended(job, outcome, finish)

    def said(self) -> list[Report]:
        """All of it."""
        reports, self._reports = self._reports, []
        return reports

    def _outcome(self, job: ClaimedJob, handler: Handler, telling: Telling) -> Outcome:
        hide, share = handler.hiding(job.payload), self._dice.random()
        positional = (telling,) if handler.wants_context else ()
        try:
            value = handler.function(*positional, **handler.signature.decode(job.payload))
            if handler.is_async:
                value = self._around.live(value)
        except asyncio.CancelledError as error:
            timeout = self._around.timeout
            return endings.cut_off(Reason.TIMEOUT, _inwards(error), timeout, job, handler.retry, share, hide)
        except Exception as error:
            return endings.raised(_inwards(error), job, handler.retry, share, hide)
        outcome = endings.returned(value, strictjson.encode, MAX_RESULT)
        return msgspec.structs.replace(outcome, follow_ups=tuple(telling.follow_ups))


def _inwards(error: BaseException) -> BaseException:
    """With a traceback that begins at the handler."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    return error.with_traceback(trace)


async def fill(store: Store, minutes: int, clock: Clock, wait: bool) -> None:
    """Have a shop live through the last minutes, until now."""
    await store.open()
    try:
        past, begin = Past(), (clock.now() // MINUTE - minutes) * MINUTE
        course = past.course(begin, minutes, clock, wait)
        await Seeder(store, past, lambda _: None, host=HOST).fill(course, begin)
    finally:
        await store.close()


def main() -> None:
    """Read the options and fill."""
    parser = argparse.ArgumentParser(description="Give a store the past of a shop.")
    parser.add_argument("url", help="of an empty database")
    parser.add_argument("--minutes", type=int, default=MINUTES)
    parser.add_argument("--wait", action="store_true", help="until the minute under way is over")
    options = parser.parse_args()
    migrate(options.url)
    new_event_loop().run_until_complete(fill(store_at(options.url), options.minutes, SystemClock(), options.wait))
    sys.stdout.write("filled\n")


if __name__ == "__main__":
    main()
